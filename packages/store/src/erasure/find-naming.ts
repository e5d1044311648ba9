import type { Database } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';

/** A part of a table that was looked through. */
export type SearchedPage = { isLast: boolean; after: string };

/** Short statements, which hold up no worker; a row of `purchases` has a record to be searched. */
const rowsAtOnce = { subscriptions: 20_000, purchases: 5_000 } as const;

type Searched = { last: string | null; seen: number; older: string[] | null; later: string[] | null };

const textOf = { subscriptions: Prisma.sql`''`, purchases: Prisma.sql`record::text` } as const;

/** How a JSON text writes a string: what is searched for in it. */
export const jsonString = (text: string): string => JSON.stringify(text);

/**
 * Looks through a page of a table, in the order of ids, for objects that name the user, whoever has them. `older`: stored
 * before the erasure; `later`: since.
 */
export async function findNaming(
  database: Database,
  table: keyof typeof rowsAtOnce,
  { userId, after, erasedAt }: { userId: string; after: string; erasedAt: Date },
): Promise<SearchedPage & { older: string[]; later: string[] }> {
  const [page] = await database.$queryRaw<Searched[]>`
    SELECT max(id) AS last, count(*)::int AS seen, array_agg(id ORDER BY id) FILTER (WHERE names AND is_older) AS older,
      array_agg(id ORDER BY id) FILTER (WHERE names AND NOT is_older) AS later FROM (
      SELECT id, created_at < ${erasedAt} AS is_older, coalesce(claimed_user_id = ${userId}, false)
        OR strpos(${textOf[table]}, ${jsonString(userId)}) > 0 AS names
      FROM ${Prisma.raw(`public.${table}`)} WHERE id > ${after} ORDER BY id LIMIT ${rowsAtOnce[table]}) one`;
  return {
    isLast: (page?.seen ?? 0) < rowsAtOnce[table],
    after: page?.last ?? after,
    older: page?.older ?? [],
    later: page?.later ?? [],
  };
}
