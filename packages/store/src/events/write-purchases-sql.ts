import { Prisma } from '../generated/client.ts';
import type { StatementInput } from './outcomes.ts';

/** Purchases whose fence is still the one that was read. */
export const writePurchases = (rows: StatementInput['purchases']): Prisma.Sql => Prisma.sql`
  purchases_in AS MATERIALIZED (
    SELECT x.*, coalesce(x.user_ref, made.id) AS owner_ref
    FROM json_to_recordset(${JSON.stringify(rows)}::json) AS x(
      id text, user_ref bigint, new_project_id text, new_user_id text, stripe_customer_id text,
      claimed_project_id text, claimed_user_id text, session_id text, charge_id text, invoice_id text,
      is_invoiceless boolean, status text,
      amount bigint, amount_refunded bigint, currency text, paid_at timestamptz,
      dispute_status text, record jsonb, snapshot_at timestamptz, snapshot_event_id text, confirmed boolean,
      fence bigint, settle_at timestamptz, settle_attempts integer, missing_in_stripe_at timestamptz, has_new_items boolean)
    LEFT JOIN made ON made.project_id = x.new_project_id AND made.user_id = x.new_user_id
    WHERE x.new_user_id IS NULL OR made.id IS NOT NULL),
  held_purchases AS (
    INSERT INTO purchases AS stored (
      id, user_ref, stripe_customer_id, claimed_project_id, claimed_user_id, session_id, charge_id, invoice_id,
      is_invoiceless, status,
      amount, amount_refunded, currency, paid_at, dispute_status, record, snapshot_at,
      snapshot_event_id, confirmed, fence, settle_at, settle_attempts, missing_in_stripe_at)
    SELECT
      id, owner_ref, stripe_customer_id, claimed_project_id, claimed_user_id, session_id, charge_id, invoice_id,
      is_invoiceless, status,
      amount, amount_refunded, currency, paid_at, dispute_status, record, snapshot_at,
      snapshot_event_id, confirmed, fence, settle_at, settle_attempts, missing_in_stripe_at
    FROM purchases_in
    WHERE (SELECT count(*) FROM locked) >= 0 AND (SELECT count(*) FROM held_subscriptions) >= 0
    ORDER BY id COLLATE "C"
    ON CONFLICT (id) DO UPDATE SET
      user_ref = excluded.user_ref, stripe_customer_id = excluded.stripe_customer_id,
      claimed_project_id = excluded.claimed_project_id, claimed_user_id = excluded.claimed_user_id,
      session_id = excluded.session_id, charge_id = excluded.charge_id, invoice_id = excluded.invoice_id,
      is_invoiceless = excluded.is_invoiceless, status = excluded.status,
      amount = excluded.amount, amount_refunded = excluded.amount_refunded, currency = excluded.currency,
      paid_at = excluded.paid_at, dispute_status = excluded.dispute_status, record = excluded.record,
      snapshot_at = excluded.snapshot_at, snapshot_event_id = excluded.snapshot_event_id,
      confirmed = excluded.confirmed, fence = excluded.fence, settle_at = excluded.settle_at,
      settle_attempts = excluded.settle_attempts,
      missing_in_stripe_at = excluded.missing_in_stripe_at, updated_at = now()
    WHERE stored.fence = excluded.fence - 1
    RETURNING id)`;

/** Their items, replaced where they changed. */
export const writePurchaseItems = (rows: StatementInput['purchaseItems']): Prisma.Sql => Prisma.sql`
  purchase_items_in AS MATERIALIZED (
    SELECT x.*
    FROM json_to_recordset(${JSON.stringify(rows)}::json) AS x(
      purchase_id text, stripe_price_id text, quantity bigint)
    JOIN held_purchases ON held_purchases.id = x.purchase_id),
  purchase_items_gone AS (
    DELETE FROM purchase_items AS stored
    WHERE stored.purchase_id = ANY(ARRAY(
        SELECT id FROM held_purchases JOIN purchases_in USING (id) WHERE has_new_items))
      AND NOT EXISTS (
        SELECT FROM purchase_items_in AS kept
        WHERE kept.purchase_id = stored.purchase_id AND kept.stripe_price_id = stored.stripe_price_id)),
  purchase_items_kept AS (
    INSERT INTO purchase_items (purchase_id, stripe_price_id, quantity)
    SELECT * FROM purchase_items_in
    ON CONFLICT (purchase_id, stripe_price_id) DO UPDATE SET quantity = excluded.quantity)`;
