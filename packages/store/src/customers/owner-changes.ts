import { differences } from '@billing/domain';
import type { Queries } from '../create-database.ts';
import { isTrial, noteChanges } from '../dry-run.ts';
import type { ObjectKey } from '../events/outcomes.ts';

type OwnerRow = { path: string; projectId: string; userId: string };

/** Who owns each of the objects, by project. */
async function ownersOf(tx: Queries, objects: readonly ObjectKey[]): Promise<Record<string, object>> {
  const idsOf = (kind: ObjectKey['kind']) => objects.filter((one) => one.kind === kind).map(({ id }) => id);
  const rows = await tx.$queryRaw<OwnerRow[]>`
    WITH owner AS (
      SELECT 'subscription' AS kind, id, user_ref FROM public.subscriptions WHERE id = ANY(${idsOf('subscription')}::text[])
      UNION ALL
      SELECT 'purchase', id, user_ref FROM public.purchases WHERE id = ANY(${idsOf('purchase')}::text[])
      UNION
      SELECT 'subscription', object_id, user_ref FROM public.object_owners
      WHERE object_id = ANY(${idsOf('subscription')}::text[])
      UNION
      SELECT 'purchase', object_id, user_ref FROM public.object_owners WHERE object_id = ANY(${idsOf('purchase')}::text[]))
    SELECT owner.kind || '.' || owner.id AS path, u.project_id AS "projectId", u.user_id AS "userId"
    FROM owner JOIN public.users u ON u.id = owner.user_ref`;
  const owners: Record<string, Record<string, string>> = Object.fromEntries(
    objects.map(({ kind, id }) => [`${kind}.${id}`, {}]),
  );
  for (const { path, projectId, userId } of rows) owners[path] = { ...owners[path], [projectId]: userId };
  return owners;
}

/** The users of a Stripe customer, by project. */
async function mappingsOf(tx: Queries, stripeCustomerId: string): Promise<Record<string, string>> {
  const rows = await tx.$queryRaw<Omit<OwnerRow, 'path'>[]>`
    SELECT u.project_id AS "projectId", u.user_id AS "userId" FROM public.users u WHERE u.id IN (
      SELECT user_ref FROM public.customers WHERE stripe_customer_id = ${stripeCustomerId}
      UNION SELECT user_ref FROM public.customer_users WHERE stripe_customer_id = ${stripeCustomerId})`;
  return Object.fromEntries(rows.map(({ projectId, userId }) => [projectId, userId]));
}

type Concerned = { objects: readonly ObjectKey[]; stripeCustomerId: string | null };

/** Makes a change. Of a trial, the owners of what it concerns are compared before and after it. */
export async function withOwnerChanges<T>(
  tx: Queries,
  { objects, stripeCustomerId }: Concerned,
  change: () => Promise<T>,
): Promise<T> {
  if (!isTrial(tx)) return change();
  const look = async (): Promise<Record<string, object>> => ({
    ...(await ownersOf(tx, objects)),
    ...(stripeCustomerId === null
      ? {}
      : { [`customer.${stripeCustomerId}`]: await mappingsOf(tx, stripeCustomerId) }),
  });
  const before = await look();
  const result = await change();
  noteChanges(tx, differences(before, await look()));
  return result;
}
