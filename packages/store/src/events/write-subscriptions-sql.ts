import { Prisma } from '../generated/client.ts';
import type { StatementInput } from './outcomes.ts';

/** Subscriptions whose fence is still the one that was read. */
export const writeSubscriptions = (rows: StatementInput['subscriptions']): Prisma.Sql => Prisma.sql`
  subscriptions_in AS MATERIALIZED (
    SELECT x.*, coalesce(x.user_ref, made.id) AS owner_ref
    FROM json_to_recordset(${JSON.stringify(rows)}::json) AS x(
      id text, user_ref bigint, new_project_id text, new_user_id text, stripe_customer_id text,
      claimed_project_id text, claimed_user_id text, claims_at timestamptz, status text, cancel_at timestamptz,
      cancel_at_period_end boolean, canceled_at timestamptz, ended_at timestamptz, trial_end timestamptz,
      collection_paused boolean, latest_invoice_id text, latest_invoice_created_at timestamptz,
      period_invoice_id text, period_invoice_at timestamptz,
      snapshot_at timestamptz, snapshot_event_id text, confirmed boolean, fence bigint,
      other_status_seen_at timestamptz, past_due_seen_at timestamptz[], past_due_since timestamptz,
      settle_at timestamptz, settle_attempts integer, missing_in_stripe_at timestamptz, has_new_items boolean)
    LEFT JOIN made ON made.project_id = x.new_project_id AND made.user_id = x.new_user_id
    WHERE x.new_user_id IS NULL OR made.id IS NOT NULL),
  held_subscriptions AS (
    INSERT INTO subscriptions AS stored (
      id, user_ref, stripe_customer_id, claimed_project_id, claimed_user_id, claims_at, status, cancel_at,
      cancel_at_period_end, canceled_at, ended_at, trial_end, collection_paused, latest_invoice_id,
      latest_invoice_created_at, period_invoice_id, period_invoice_at, snapshot_at, snapshot_event_id, confirmed, fence, other_status_seen_at,
      past_due_seen_at, past_due_since, settle_at, settle_attempts, missing_in_stripe_at)
    SELECT
      id, owner_ref, stripe_customer_id, claimed_project_id, claimed_user_id, claims_at, status, cancel_at,
      cancel_at_period_end, canceled_at, ended_at, trial_end, collection_paused, latest_invoice_id,
      latest_invoice_created_at, period_invoice_id, period_invoice_at, snapshot_at, snapshot_event_id, confirmed, fence, other_status_seen_at,
      past_due_seen_at, past_due_since, settle_at, settle_attempts, missing_in_stripe_at
    FROM subscriptions_in
    WHERE (SELECT count(*) FROM locked) >= 0 AND (SELECT count(*) FROM made) >= 0
    ORDER BY id COLLATE "C"
    ON CONFLICT (id) DO UPDATE SET
      user_ref = excluded.user_ref, stripe_customer_id = excluded.stripe_customer_id,
      claimed_project_id = excluded.claimed_project_id, claimed_user_id = excluded.claimed_user_id,
      claims_at = excluded.claims_at, status = excluded.status, cancel_at = excluded.cancel_at,
      cancel_at_period_end = excluded.cancel_at_period_end, canceled_at = excluded.canceled_at,
      ended_at = excluded.ended_at, trial_end = excluded.trial_end,
      collection_paused = excluded.collection_paused, latest_invoice_id = excluded.latest_invoice_id,
      latest_invoice_created_at = excluded.latest_invoice_created_at,
      period_invoice_id = excluded.period_invoice_id, period_invoice_at = excluded.period_invoice_at, snapshot_at = excluded.snapshot_at,
      snapshot_event_id = excluded.snapshot_event_id, confirmed = excluded.confirmed,
      fence = excluded.fence, other_status_seen_at = excluded.other_status_seen_at,
      past_due_seen_at = excluded.past_due_seen_at, past_due_since = excluded.past_due_since,
      settle_at = excluded.settle_at, settle_attempts = excluded.settle_attempts,
      missing_in_stripe_at = excluded.missing_in_stripe_at, updated_at = now()
    WHERE stored.fence = excluded.fence - 1
    RETURNING id)`;

/** Their items, replaced where they changed. */
export const writeSubscriptionItems = (rows: StatementInput['subscriptionItems']): Prisma.Sql => Prisma.sql`
  subscription_items_in AS MATERIALIZED (
    SELECT x.*
    FROM json_to_recordset(${JSON.stringify(rows)}::json) AS x(
      subscription_id text, item_id text, stripe_price_id text, quantity bigint,
      current_period_start timestamptz, current_period_end timestamptz)
    JOIN held_subscriptions ON held_subscriptions.id = x.subscription_id),
  subscription_items_gone AS (
    DELETE FROM subscription_items AS stored
    WHERE stored.subscription_id = ANY(ARRAY(
        SELECT id FROM held_subscriptions JOIN subscriptions_in USING (id) WHERE has_new_items))
      AND NOT EXISTS (
        SELECT FROM subscription_items_in AS kept
        WHERE kept.subscription_id = stored.subscription_id AND kept.item_id = stored.item_id)),
  subscription_items_kept AS (
    INSERT INTO subscription_items (
      subscription_id, item_id, stripe_price_id, quantity, current_period_start, current_period_end)
    SELECT * FROM subscription_items_in
    ON CONFLICT (subscription_id, item_id) DO UPDATE SET
      stripe_price_id = excluded.stripe_price_id, quantity = excluded.quantity,
      current_period_start = excluded.current_period_start, current_period_end = excluded.current_period_end)`;
