import { ServiceError } from '@billing/domain';
import type { AssignRequest } from '@billing/domain';
import type { Queries } from '../create-database.ts';
import { payloadOf } from '../event-payloads/payload-sql.ts';
import type { ObjectKey } from '../events/outcomes.ts';

type Named = Pick<AssignRequest, 'subscription_id' | 'payment_intent_id' | 'session_id'>;

/** A payment that bought something, or may still do so; one that pays an invoice is its subscription's. */
async function findPurchase(tx: Queries, id: string): Promise<ObjectKey | null> {
  const rows = await tx.$queryRaw<ObjectKey[]>`
    SELECT 'purchase' AS kind, id FROM public.purchases
    WHERE (id = ${id} OR session_id = ${id}) AND invoice_id IS NULL
      AND (session_id IS NOT NULL OR status <> 'pending' OR EXISTS (
        SELECT FROM public.purchase_items i WHERE i.purchase_id = purchases.id))
    ORDER BY id LIMIT 1`;
  return rows[0] ?? null;
}

/** The subscription that a session started, as the session's events say. */
async function findSubscriptionOf(tx: Queries, sessionId: string): Promise<ObjectKey | null> {
  const rows = await tx.$queryRaw<ObjectKey[]>`
    SELECT 'subscription' AS kind, s.id
    FROM public.stripe_events e CROSS JOIN LATERAL (SELECT ${payloadOf('e')} #> '{data,object,subscription}' AS named) object
    JOIN public.subscriptions s ON s.id = coalesce(named ->> 'id', named #>> '{}')
    WHERE e.object_id = ${sessionId} LIMIT 1`;
  return rows[0] ?? null;
}

/** What a request names is not here, or not to be seen by who asks. */
export const objectNotFound = ({ subscription_id: subscriptionId }: Named): ServiceError =>
  subscriptionId === undefined
    ? new ServiceError(
        'payment_not_found',
        'Use the id of a payment or checkout session that was heard of here and bought something; a payment of an invoice follows its subscription.',
      )
    : new ServiceError(
        'subscription_not_found',
        'Use the id of a subscription that was heard of here; reconcile brings in what was not.',
      );

/** The stored object that a request names. Throws `subscription_not_found`, `payment_not_found`. */
export async function findObject(tx: Queries, named: Named): Promise<ObjectKey> {
  const {
    subscription_id: subscriptionId,
    payment_intent_id: paymentIntentId,
    session_id: sessionId,
  } = named;
  if (subscriptionId !== undefined) {
    const stored = await tx.subscription.count({ where: { id: subscriptionId } });
    if (stored > 0) return { kind: 'subscription', id: subscriptionId };
    throw objectNotFound(named);
  }
  const id = paymentIntentId ?? sessionId ?? '';
  const found =
    (await findPurchase(tx, id)) ??
    (sessionId === undefined ? null : await findSubscriptionOf(tx, sessionId));
  if (found !== null) return found;
  throw objectNotFound(named);
}
