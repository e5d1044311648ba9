import { soldAs } from '../catalog/sold-as.ts';
import { Prisma } from '../generated/client.ts';
import { decodeCursor, timeIdAndNumberKey } from '../page.ts';
import type { PageRequest } from '../page.ts';

/** What lists of sold objects are limited to; absent: not. */
export type SoldFilter = PageRequest & {
  project_id?: string | undefined;
  user_id?: string | undefined;
  status?: string | undefined;
  product_id?: string | undefined;
  stripe_customer_id?: string | undefined;
  /** Null: of all projects, and what has no owner. */
  onlyProject: string | null;
};

/** The tables of one kind of object, which a statement calls `alias`. */
export type SoldTables = {
  alias: 's' | 'p';
  objects: Prisma.Sql;
  items: Prisma.Sql;
  /** Of an item `i`: whose it is. */
  itemOf: Prisma.Sql;
  /** Which rows are sold objects at all. */
  isSold: Prisma.Sql;
};

const and = (condition: Prisma.Sql): Prisma.Sql => Prisma.sql` AND ${condition}`;
const when = <T>(value: T | undefined | null, condition: (value: T) => Prisma.Sql): Prisma.Sql =>
  value === undefined || value === null ? Prisma.empty : and(condition(value));

/** Where a row of a list stands; an object is listed once for each owner. */
export const positionOf = (row: {
  id: string;
  createdAt: Date;
  ref: bigint | null;
}): [number, string, number] => [row.createdAt.getTime(), row.id, Number(row.ref ?? 0n)];

function after(alias: Prisma.Sql, ref: Prisma.Sql, cursor: string | undefined): Prisma.Sql {
  if (cursor === undefined) return Prisma.empty;
  const [at, id, lastRef] = decodeCursor(timeIdAndNumberKey, cursor);
  const moment = new Date(at);
  // The first condition is what the index can use.
  return Prisma.sql` AND (${alias}.created_at, ${alias}.id) <= (${moment}::timestamptz, ${id})
    AND (${alias}.created_at, ${alias}.id, coalesce(${ref}, 0)) < (${moment}::timestamptz, ${id}, ${lastRef}::bigint)`;
}

/** Ids of the rows of the users who are asked for, of whatever project. */
const usersNamed = (userId: string): Prisma.Sql => Prisma.sql`ARRAY(
  SELECT named.id FROM public.projects j JOIN public.users named ON named.project_id = j.id AND named.user_id = ${userId})`;

/**
 * The objects of a page, newest first, one row more than the limit: `id`, `created_at` and the owner `ref` (null: none). One
 * that is in several projects is there once for each.
 */
export function ownedPage(
  { alias, objects, items, itemOf, isSold }: SoldTables,
  filter: SoldFilter,
): Prisma.Sql {
  const object = Prisma.raw(alias);
  const conditions = (ref: Prisma.Sql): Prisma.Sql => Prisma.sql`${isSold}
    ${when(filter.user_id, (userId) => Prisma.sql`${ref} = ANY(${usersNamed(userId)})`)}
    ${when(filter.project_id, (projectId) => Prisma.sql`users.project_id = ${projectId}`)}
    ${when(filter.onlyProject, (projectId) => Prisma.sql`users.project_id = ${projectId}`)}
    ${when(filter.status, (status) => Prisma.sql`${object}.status = ${status}`)}
    ${when(filter.stripe_customer_id, (customer) => Prisma.sql`${object}.stripe_customer_id = ${customer}`)}
    ${when(
      filter.product_id,
      (productId) => Prisma.sql`EXISTS (
        SELECT FROM ${items} i ${soldAs} WHERE ${itemOf} = ${object}.id AND products.product_id = ${productId}
          AND (users.id IS NULL OR products.project_id = users.project_id))`,
    )}
    ${after(object, ref, filter.cursor)}`;
  const limit = filter.limit + 1;
  return Prisma.sql`
    SELECT * FROM (
      (SELECT ${object}.id, ${object}.created_at, ${object}.user_ref AS ref
        FROM ${objects} ${object} LEFT JOIN public.users ON users.id = ${object}.user_ref
        WHERE ${conditions(Prisma.sql`${object}.user_ref`)}
        ORDER BY ${object}.created_at DESC, ${object}.id DESC LIMIT ${limit})
      UNION ALL
      (SELECT ${object}.id, ${object}.created_at, o.user_ref
        FROM public.object_owners o JOIN public.users ON users.id = o.user_ref
          JOIN ${objects} ${object} ON ${object}.id = o.object_id
        WHERE o.user_ref IS DISTINCT FROM ${object}.user_ref AND ${conditions(Prisma.sql`o.user_ref`)}
        ORDER BY ${object}.created_at DESC, ${object}.id DESC, o.user_ref DESC LIMIT ${limit})) owned
    ORDER BY created_at DESC, id DESC, coalesce(ref, 0) DESC LIMIT ${limit}`;
}

/** Beside an item `i` with `soldAs`: the owner's project sells it, or nobody does. */
export const isOwnItem = Prisma.sql`
  (users.id IS NULL OR products.project_id IS NULL OR products.project_id = users.project_id)`;

/** Of an item, as JSON. */
export const soldItemFields = Prisma.sql`'stripePriceId', i.stripe_price_id, 'priceId', prices.price_id,
  'productId', products.product_id, 'quantity', i.quantity`;

/** What is known of each sold object: whose it is. */
export type OwnedRow = {
  id: string;
  createdAt: Date;
  ref: bigint | null;
  projectId: string | null;
  userId: string | null;
  stripeCustomerId: string | null;
};

export type SoldItem = {
  stripePriceId: string;
  priceId: string | null;
  productId: string | null;
  quantity: number;
};
