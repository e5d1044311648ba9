import { Prisma } from '../generated/client.ts';

/**
 * The rows of a table that are of `users`: by the owner in the row, or beside it. These one by one (`OFFSET 0`): a plan of a join,
 * made on small tables, would scan large ones.
 */
export const ownedRows = (table: 'subscriptions' | 'purchases'): Prisma.Sql => {
  const rows = Prisma.raw(`public.${table}`);
  return Prisma.sql`(
          SELECT * FROM ${rows} WHERE user_ref = users.id
          UNION ALL
          SELECT other.* FROM public.object_owners o
            CROSS JOIN LATERAL (SELECT * FROM ${rows} one WHERE one.id = o.object_id OFFSET 0) other
          WHERE o.user_ref = users.id AND (other.user_ref = users.id) IS NOT TRUE)`;
};
