import type { Queries } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';
import type { Belongings, ErasedRow } from './find-belongings.ts';

/** How much was erased. */
export type ErasedCounts = { subscriptions: number; purchases: number; grants: number; customers: number };

type Own = { id: string; isShared: boolean };

const own = (objects: readonly Own[]): string[] => objects.filter((one) => !one.isShared).map(({ id }) => id);
const shared = (objects: readonly Own[]): string[] =>
  objects.filter((one) => one.isShared).map(({ id }) => id);

/**
 * Gives shared objects to those who own the rest of them. The rows get a new version: whoever read one before decides again.
 * What they say of the user is taken out later, with all that names the user (`findNaming`).
 */
async function leaveShared(
  tx: Queries,
  table: 'subscriptions' | 'purchases',
  { ref, ids }: { ref: bigint | null; ids: readonly string[] },
): Promise<void> {
  const objects = Prisma.raw(`public.${table}`);
  await tx.$executeRaw`
    UPDATE ${objects} object SET fence = fence + 1, updated_at = now(), user_ref = CASE
      WHEN object.user_ref = ${ref}::bigint THEN (
        SELECT o.user_ref FROM public.object_owners o WHERE o.object_id = object.id AND o.user_ref <> ${ref}::bigint
        ORDER BY o.project_id LIMIT 1)
      ELSE object.user_ref END
    WHERE object.id = ANY(${[...ids]}::text[])`;
  await tx.$executeRaw`
    DELETE FROM public.object_owners o USING ${objects} object
    WHERE object.id = o.object_id AND object.id = ANY(${[...ids]}::text[])
      AND (o.user_ref = ${ref}::bigint OR (o.user_ref = object.user_ref AND o.source <> 'assignment'))`;
}

/** A customer that is mapped in further projects stays, with the first of those mappings as its own. */
async function removeMappings(
  tx: Queries,
  ref: bigint | null,
  customers: Belongings['customers'],
): Promise<void> {
  const ids = customers.map(({ id }) => id);
  await tx.$executeRaw`
    DELETE FROM public.customer_users WHERE user_ref = ${ref}::bigint`;
  await tx.$executeRaw`
    WITH next AS MATERIALIZED (
      SELECT DISTINCT ON (f.stripe_customer_id) f.stripe_customer_id, f.project_id, f.user_ref, f.source
      FROM public.customer_users f JOIN public.customers c USING (stripe_customer_id)
      WHERE c.user_ref = ${ref}::bigint AND c.stripe_customer_id = ANY(${ids}::text[])
      ORDER BY f.stripe_customer_id, f.project_id),
    moved AS (
      DELETE FROM public.customer_users f USING next
      WHERE f.stripe_customer_id = next.stripe_customer_id AND f.project_id = next.project_id)
    UPDATE public.customers c SET user_ref = next.user_ref, source = next.source
    FROM next WHERE c.stripe_customer_id = next.stripe_customer_id`;
  await tx.$executeRaw`
    DELETE FROM public.customers WHERE user_ref = ${ref}::bigint`;
}

/** Deletes all that is the user's alone, and the user. */
export async function removeBelongings(
  tx: Queries,
  { ref }: ErasedRow,
  { subscriptions, purchases, customers }: Belongings,
): Promise<ErasedCounts> {
  await leaveShared(tx, 'subscriptions', { ref, ids: shared(subscriptions) });
  await leaveShared(tx, 'purchases', { ref, ids: shared(purchases) });
  const gone = [...own(subscriptions), ...own(purchases)];
  await tx.$executeRaw`
    DELETE FROM public.object_owners WHERE object_id = ANY(${gone}::text[]) OR user_ref = ${ref}::bigint`;
  await tx.$executeRaw`
    DELETE FROM public.subscriptions WHERE id = ANY(${own(subscriptions)}::text[])`;
  await tx.$executeRaw`
    DELETE FROM public.purchases WHERE id = ANY(${own(purchases)}::text[])`;
  const grants = await tx.$executeRaw`
    DELETE FROM public.grants WHERE user_ref = ${ref}::bigint`;
  await removeMappings(tx, ref, customers);
  await tx.$executeRaw`
    DELETE FROM public.users WHERE id = ${ref}::bigint`;
  return {
    subscriptions: subscriptions.length,
    purchases: purchases.length,
    grants,
    customers: customers.length,
  };
}
