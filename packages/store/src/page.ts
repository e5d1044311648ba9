import { ServiceError } from '@billing/domain';
import { z } from 'zod';

/** A part of a list. `cursor` is opaque: the sort key of the last row of the page before. */
export type PageRequest = { limit: number; cursor?: string | undefined };
export type Page<T> = { rows: T[]; nextCursor: string | null };

/** For a cursor that no page of the list gave. */
export const invalidCursor = (): ServiceError =>
  new ServiceError('invalid_request', 'Use a next_cursor that this list gave, or none.', {
    errors: [{ path: 'cursor', message: 'is not a cursor of this list' }],
  });

/** The sort key in a cursor, checked by `schema`. Throws `invalid_request`. */
export function decodeCursor<T extends z.ZodType>(schema: T, cursor: string): z.output<T> {
  const parsed = schema.safeParse(parseJson(Buffer.from(cursor, 'base64url').toString('utf8')));
  if (!parsed.success) throw invalidCursor();
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const encodeCursor = (key: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(key)).toString('base64url');

/** Of `limit + 1` rows read, the first `limit`, and the cursor that leads on if there are more. */
export function toPage<T>(
  rows: T[],
  limit: number,
  keyOf: (row: T) => readonly (string | number)[],
): Page<T> {
  const kept = rows.slice(0, limit);
  const last = kept.at(-1);
  return {
    rows: kept,
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(keyOf(last)) : null,
  };
}

const id = z
  .string()
  .max(1024)
  .regex(/^\P{Cc}*$/u);
const time = z
  .number()
  .int()
  .min(0)
  .max(Date.UTC(9999, 11, 31));

/** Keys of the cursors in use. */
const idKey = z.tuple([id]);
export const sequenceKey = z.tuple([z.string().regex(/^\d{1,18}$/)]);
export const timeAndIdKey = z.tuple([time, id]);
export const timeIdAndNumberKey = z.tuple([time, id, z.number().int().min(0)]);
export const timeKindAndIdKey = z.tuple([time, id, id]);

/** The ids that follow the cursor, of a list that is sorted by them. Throws `invalid_request`. */
export const afterId = (cursor: string | undefined): { gt?: string } =>
  cursor === undefined ? {} : { gt: decodeCursor(idKey, cursor)[0] };
