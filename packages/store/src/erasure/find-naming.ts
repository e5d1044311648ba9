import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';

/** A part of a table that was looked through. */
export type SearchedPage = { isLast: boolean; after: string };

/** Short statements, which hold up no worker; a row of `purchases` has a record to be searched. */
const rowsAtOnce = { subscriptions: 20_000, purchases: 5_000 } as const;

const textOf = { subscriptions: Prisma.sql`''`, purchases: Prisma.sql`record::text` } as const;

/** How a JSON text writes a string: what is searched for in it. */
export const jsonString = (text: string): string => JSON.stringify(text);

/**
 * Looks through a page of a table, in the order of ids, for objects from before the erasure that name
 * the user, whoever has them.
 */
export async function findNaming(
  database: Database,
  table: keyof typeof rowsAtOnce,
  { userId, after, erasedAt }: { userId: string; after: string; erasedAt: Date },
): Promise<SearchedPage & { ids: string[] }> {
  const [page] = await database.$queryRaw<{ last: string | null; seen: number; ids: string[] | null }[]>`
    SELECT max(id) AS last, count(*)::int AS seen, array_agg(id ORDER BY id) FILTER (WHERE names) AS ids FROM (
      SELECT id, created_at < ${erasedAt} AND (coalesce(claimed_user_id = ${userId}, false)
        OR strpos(${textOf[table]}, ${jsonString(userId)}) > 0) AS names
      FROM ${Prisma.raw(`public.${table}`)} WHERE id > ${after} ORDER BY id LIMIT ${rowsAtOnce[table]}) one`;
  return {
    isLast: (page?.seen ?? 0) < rowsAtOnce[table],
    after: page?.last ?? after,
    ids: page?.ids ?? [],
  };
}
