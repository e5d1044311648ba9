import type { Queries } from '../create-database.ts';

/**
 * Looks again at the quarantined events that wait for `awaited` (a Stripe customer or price) or were held
 * back for want of the project `projectId`: applied where the object's own row now has its user and all its
 * prices are known, else waiting for what is still missing. Returns how many are applied now. The objects'
 * rows are up to date already: order was settled when the events arrived.
 */
export async function releaseWaitingEvents(tx: Queries, awaited: readonly string[]): Promise<number> {
  if (awaited.length === 0) return 0;
  const names = JSON.stringify(awaited);
  const settled = await tx.$queryRaw<{ status: string }[]>`
    WITH waiting AS (
      SELECT event_id, object_id FROM stripe_events
      WHERE awaits IN (SELECT value COLLATE "C" FROM jsonb_array_elements_text(${names}::jsonb))
        AND status = 'quarantined' AND reason IN ('unknown_customer', 'unknown_project', 'unknown_price')
      ORDER BY event_id FOR UPDATE
    ), object AS (
      SELECT w.event_id, s.user_ref, s.stripe_customer_id, missing.price
      FROM waiting w JOIN subscriptions s ON s.id = w.object_id
      LEFT JOIN LATERAL (
        SELECT min(i.stripe_price_id) AS price FROM subscription_items i
        WHERE i.subscription_id = s.id AND NOT EXISTS (SELECT 1 FROM prices p WHERE p.stripe_price_id = i.stripe_price_id)
      ) missing ON true
      UNION ALL
      SELECT w.event_id, b.user_ref, b.stripe_customer_id, missing.price
      FROM waiting w JOIN purchases b ON w.object_id IN (b.id, b.session_id, b.charge_id)
      LEFT JOIN LATERAL (
        SELECT min(i.stripe_price_id) AS price FROM purchase_items i
        WHERE i.purchase_id = b.id AND NOT EXISTS (SELECT 1 FROM prices p WHERE p.stripe_price_id = i.stripe_price_id)
      ) missing ON true
    ), verdict AS (
      SELECT w.event_id,
        bool_or(o.event_id IS NOT NULL AND o.user_ref IS NULL) AS is_ownerless,
        max(o.stripe_customer_id) AS customer,
        max(o.price) AS price
      FROM waiting w LEFT JOIN object o USING (event_id) GROUP BY w.event_id
    )
    UPDATE stripe_events e SET
      status = CASE WHEN v.is_ownerless OR v.price IS NOT NULL THEN 'quarantined' ELSE 'applied' END,
      reason = CASE WHEN v.is_ownerless THEN 'unknown_customer' WHEN v.price IS NOT NULL THEN 'unknown_price' END,
      awaits = CASE WHEN v.is_ownerless THEN v.customer ELSE v.price END,
      processed_at = now()
    FROM verdict v
    WHERE e.event_id = v.event_id AND NOT (v.is_ownerless AND e.reason <> 'unknown_price')
    RETURNING e.status`;
  return settled.filter(({ status }) => status === 'applied').length;
}
