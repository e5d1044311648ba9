import { Prisma } from '../generated/client.ts';
import type { StateKeys } from './read-state.ts';

/** A constant, not a value: the planner leaves out what can't be. */
const sqlBoolean = (isTrue: boolean): Prisma.Sql => (isTrue ? Prisma.sql`true` : Prisma.sql`false`);

/**
 * The keys are lists that the planner can't look into: one plan serves every batch, where it would else plan anew for
 * each, which takes longer than the reading. What a batch has nothing of is left out of its plan by a constant.
 */
export function readStatement(keys: StateKeys): Prisma.Sql {
  const invoiceIds = keys.invoiceIds ?? [];
  const hasPurchases = sqlBoolean(keys.purchaseIds.length > 0);
  const hasInvoices = sqlBoolean(keys.purchaseIds.length > 0 || invoiceIds.length > 0);
  return Prisma.sql`
    WITH keys AS MATERIALIZED (
      SELECT ${[...keys.eventIds]}::text[] AS event_ids, ${[...keys.subscriptionIds]}::text[] AS subscription_ids,
        ${[...keys.purchaseIds]}::text[] AS purchase_ids, ${[...keys.customerIds]}::text[] AS customer_ids,
        ${[...keys.priceIds]}::text[] AS price_ids, ${[...keys.userIds]}::text[] AS user_ids,
        ${[...keys.projectIds]}::text[] AS project_ids, ${[...invoiceIds]}::text[] AS invoice_ids),
    s AS MATERIALIZED (
      SELECT * FROM subscriptions WHERE id = ANY(ARRAY(SELECT unnest(subscription_ids) FROM keys))),
    p AS MATERIALIZED (
      SELECT * FROM purchases
      WHERE ${hasPurchases} AND id = ANY(ARRAY(SELECT unnest(purchase_ids) FROM keys))),
    si AS MATERIALIZED (
      SELECT * FROM subscription_items WHERE subscription_id = ANY(ARRAY(SELECT id FROM s))),
    pi AS MATERIALIZED (
      SELECT * FROM purchase_items WHERE ${hasPurchases} AND purchase_id = ANY(ARRAY(SELECT id FROM p))),
    c AS MATERIALIZED (
      SELECT stripe_customer_id, user_ref, deleted_at FROM customers
      WHERE stripe_customer_id = ANY(ARRAY(
        SELECT unnest(customer_ids) FROM keys
        UNION SELECT stripe_customer_id FROM s UNION SELECT stripe_customer_id FROM p))),
    h AS MATERIALIZED (
      SELECT DISTINCT coalesce(period_invoice_id, latest_invoice_id) AS invoice_id, user_ref FROM subscriptions
      WHERE ${hasInvoices} AND user_ref IS NOT NULL
        AND coalesce(period_invoice_id, latest_invoice_id) = ANY(ARRAY(
          SELECT unnest(invoice_ids) FROM keys
          UNION SELECT invoice_id FROM p WHERE invoice_id IS NOT NULL))),
    cu AS MATERIALIZED (
      SELECT id, project_id, user_id, version FROM users
      WHERE id = ANY(ARRAY(
        SELECT user_ref FROM c UNION SELECT user_ref FROM s UNION SELECT user_ref FROM p
        UNION SELECT user_ref FROM h))),
    claimed_projects AS MATERIALIZED (
      SELECT unnest(project_ids) AS id FROM keys
      UNION SELECT claimed_project_id FROM s UNION SELECT claimed_project_id FROM p
      UNION SELECT project_id FROM cu),
    pr AS MATERIALIZED (
      SELECT project_id, price_id, stripe_price_id, interval FROM prices
      WHERE stripe_price_id = ANY(ARRAY(
        SELECT unnest(price_ids) FROM keys
        UNION SELECT stripe_price_id FROM si UNION SELECT stripe_price_id FROM pi))
      UNION
      SELECT project_id, price_id, stripe_price_id, interval FROM prices
      WHERE project_id = ANY(ARRAY(SELECT id FROM claimed_projects))
        AND price_id = ANY(ARRAY(SELECT unnest(price_ids) FROM keys))),
    pj AS MATERIALIZED (
      SELECT id FROM projects
      WHERE id = ANY(ARRAY(SELECT id FROM claimed_projects UNION SELECT project_id FROM pr))),
    u AS MATERIALIZED (
      SELECT id, project_id, user_id, version FROM cu
      UNION
      SELECT id, project_id, user_id, version FROM users
      WHERE project_id = ANY(ARRAY(SELECT id FROM pj)) AND user_id = ANY(ARRAY(
        SELECT unnest(user_ids) FROM keys
        UNION SELECT claimed_user_id FROM s UNION SELECT claimed_user_id FROM p)))
    SELECT json_build_object(
      'ledger', (
        SELECT coalesce(json_agg(json_build_object('eventId', event_id, 'status', status)), '[]')
        FROM stripe_events WHERE event_id = ANY(ARRAY(SELECT unnest(event_ids) FROM keys))),
      'subscriptions', (SELECT coalesce(json_agg(s), '[]') FROM s),
      'subscriptionItems', (SELECT coalesce(json_agg(si), '[]') FROM si),
      'purchases', (SELECT coalesce(json_agg(p), '[]') FROM p),
      'purchaseItems', (SELECT coalesce(json_agg(pi), '[]') FROM pi),
      'customers', (SELECT coalesce(json_agg(json_build_object('customerId', stripe_customer_id,
        'userRef', user_ref, 'isDeleted', deleted_at IS NOT NULL)), '[]') FROM c),
      'holders', (SELECT coalesce(json_agg(json_build_object('invoiceId', invoice_id, 'userRef', user_ref)
        ORDER BY user_ref), '[]') FROM h),
      'prices', (SELECT coalesce(json_agg(json_build_object(
        'projectId', project_id, 'priceId', price_id, 'stripePriceId', stripe_price_id,
        'isRecurring', interval <> 'one_time')), '[]') FROM pr),
      'projects', (SELECT coalesce(json_agg(id), '[]') FROM pj),
      'users', (SELECT coalesce(json_agg(json_build_object(
        'ref', id, 'projectId', project_id, 'userId', user_id, 'version', version)), '[]') FROM u))`;
}
