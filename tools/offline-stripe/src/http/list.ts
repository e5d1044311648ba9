import { invalid, noSuch } from '../errors.ts';
import type { Range } from './params.ts';

export type ListParams = {
  limit?: number | undefined;
  starting_after?: string | undefined;
  ending_before?: string | undefined;
  created?: Range | undefined;
};

export type StripeList<T> = { object: 'list'; data: T[]; has_more: boolean; url: string };

type PageOptions<T, Params> = {
  url: string;
  /** Parameters that, where given, must equal the row's field of the same name. */
  equal?: readonly (keyof T & keyof Params)[] | undefined;
  matches?: ((row: T) => boolean) | undefined;
};

function isWithin(created: number | undefined, range: Range | undefined): boolean {
  if (range === undefined || created === undefined) return true;
  if (typeof range === 'number') return created === range;
  return (
    (range.gt === undefined || created > range.gt) &&
    (range.gte === undefined || created >= range.gte) &&
    (range.lt === undefined || created < range.lt) &&
    (range.lte === undefined || created <= range.lte)
  );
}

/**
 * One page of rows that are given newest first. A cursor names a row that need not match the filter any more, so
 * it is looked up before filtering. `ending_before` brings the page just above the cursor, still newest first.
 */
export function page<T extends { id: string; created?: number }, Params extends ListParams>(
  rows: T[],
  params: Params,
  { url, equal = [], matches }: PageOptions<T, Params>,
): StripeList<T> {
  const limit = params.limit ?? 10;
  const isBackward = params.ending_before !== undefined;
  if (isBackward && params.starting_after !== undefined) {
    throw invalid(
      'Received both starting_after and ending_before parameters. Please pass in only one.',
      'starting_after',
    );
  }
  const cursor = params.starting_after ?? params.ending_before;
  const at = cursor === undefined ? -1 : rows.findIndex((row) => row.id === cursor);
  if (cursor !== undefined && at < 0) {
    throw noSuch('object', cursor, isBackward ? 'ending_before' : 'starting_after');
  }
  const candidates = isBackward ? rows.slice(0, at).reverse() : rows.slice(at + 1);
  const found: T[] = [];
  for (const row of candidates) {
    if (found.length > limit) break;
    const isEqual = equal.every((field) => params[field] === undefined || row[field] === params[field]);
    if (isEqual && isWithin(row.created, params.created) && (matches?.(row) ?? true)) found.push(row);
  }
  const shown = found.slice(0, limit);
  return list(isBackward ? shown.reverse() : shown, found.length > limit, url);
}

export function list<T>(rows: T[], hasMore: boolean, url: string): StripeList<T> {
  return { object: 'list', data: rows, has_more: hasMore, url };
}
