import { noSuch } from '../errors.ts';
import type { Range } from './params.ts';

export interface ListParams {
  limit?: number | undefined;
  starting_after?: string | undefined;
  ending_before?: string | undefined;
  created?: Range | undefined;
}

export interface StripeList<T> {
  object: 'list';
  data: T[];
  has_more: boolean;
  url: string;
}

function isWithin(created: number, range: Range | undefined): boolean {
  if (range === undefined) return true;
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
export function page<T extends { id: string; created: number }>(
  rows: T[],
  params: ListParams,
  options: { url: string; matches?: (row: T) => boolean },
): StripeList<T> {
  const limit = params.limit ?? 10;
  const matches = (row: T): boolean =>
    isWithin(row.created, params.created) && (options.matches?.(row) ?? true);
  const cursor = params.starting_after ?? params.ending_before;
  const at = cursor === undefined ? -1 : rows.findIndex((row) => row.id === cursor);
  if (cursor !== undefined && at < 0) {
    throw noSuch('object', cursor, params.starting_after === undefined ? 'ending_before' : 'starting_after');
  }
  const found: T[] = [];
  if (params.ending_before !== undefined && params.starting_after === undefined) {
    for (let index = at - 1; index >= 0 && found.length <= limit; index -= 1) {
      const row = rows[index];
      if (row !== undefined && matches(row)) found.push(row);
    }
    return list(found.slice(0, limit).reverse(), found.length > limit, options.url);
  }
  for (let index = at + 1; index < rows.length && found.length <= limit; index += 1) {
    const row = rows[index];
    if (row !== undefined && matches(row)) found.push(row);
  }
  return list(found.slice(0, limit), found.length > limit, options.url);
}

export function list<T>(rows: T[], hasMore: boolean, url: string): StripeList<T> {
  return { object: 'list', data: rows, has_more: hasMore, url };
}
