import type { OwedInvalidation } from '../change-user.ts';
import type { Database } from '../create-database.ts';
import { toStatementInput } from './outcomes.ts';
import type { Outcome } from './outcomes.ts';

export type Written = {
  /** Keys of the objects that were written (`objectKeyOf`); the others changed meanwhile: decide them again. */
  held: ReadonlySet<string>;
  /** Events that are now in the ledger by this statement. */
  recorded: ReadonlySet<string>;
  owed: OwedInvalidation[];
};

type WrittenRow = {
  held: string[];
  recorded: string[];
  owed: { id: number; projectId: string; userId: string; version: number }[];
};

/**
 * Writes a batch in one statement, which is one transaction. Users are locked first, in the order of their
 * ids, as everywhere. An object is written only if its fence is still the one that was read; its items, its
 * users' versions and its events' ledger rows follow it, so an event and its effect are one. A row is
 * inserted with fence 1, which no stored row can precede. An object may occur once in a batch.
 */
export async function writeOutcomes(database: Database, outcomes: readonly Outcome[]): Promise<Written> {
  const input = JSON.stringify(toStatementInput(outcomes));
  const rows = await database.$queryRaw<WrittenRow[]>`
    WITH input AS MATERIALIZED (SELECT ${input}::jsonb AS doc),
    bumps AS MATERIALIZED (
      SELECT x.object_key, x.user_ref
      FROM input, jsonb_to_recordset(doc -> 'bumps') AS x(object_key text, user_ref bigint)),
    locked AS MATERIALIZED (
      SELECT id FROM users WHERE id IN (SELECT user_ref FROM bumps) ORDER BY id FOR UPDATE),
    made AS (
      INSERT INTO users (project_id, user_id, version)
      SELECT x.project_id, x.user_id, 1
      FROM input, jsonb_to_recordset(doc -> 'new_users') AS x(project_id text, user_id text)
      WHERE (SELECT count(*) FROM locked) >= 0
      ORDER BY x.project_id COLLATE "C", x.user_id COLLATE "C"
      ON CONFLICT DO NOTHING
      RETURNING id, project_id, user_id, version),
    subscriptions_in AS MATERIALIZED (
      SELECT x.*, coalesce(x.user_ref, made.id) AS owner_ref
      FROM input, jsonb_to_recordset(doc -> 'subscriptions') AS x(
        id text, user_ref bigint, new_project_id text, new_user_id text, stripe_customer_id text,
        claimed_project_id text, claimed_user_id text, status text, cancel_at timestamptz,
        cancel_at_period_end boolean, canceled_at timestamptz, ended_at timestamptz, trial_end timestamptz,
        collection_paused boolean, latest_invoice_id text, latest_invoice_created_at timestamptz,
        snapshot_at timestamptz, snapshot_event_id text, confirmed boolean, fence bigint,
        other_status_seen_at timestamptz, past_due_seen_at timestamptz[], past_due_since timestamptz,
        settle_at timestamptz, settle_attempts integer, missing_in_stripe_at timestamptz, has_new_items boolean)
      LEFT JOIN made ON made.project_id = x.new_project_id AND made.user_id = x.new_user_id
      WHERE x.new_user_id IS NULL OR made.id IS NOT NULL),
    held_subscriptions AS (
      INSERT INTO subscriptions AS stored (
        id, user_ref, stripe_customer_id, claimed_project_id, claimed_user_id, status, cancel_at,
        cancel_at_period_end, canceled_at, ended_at, trial_end, collection_paused, latest_invoice_id,
        latest_invoice_created_at, snapshot_at, snapshot_event_id, confirmed, fence, other_status_seen_at,
        past_due_seen_at, past_due_since, settle_at, settle_attempts, missing_in_stripe_at)
      SELECT
        id, owner_ref, stripe_customer_id, claimed_project_id, claimed_user_id, status, cancel_at,
        cancel_at_period_end, canceled_at, ended_at, trial_end, collection_paused, latest_invoice_id,
        latest_invoice_created_at, snapshot_at, snapshot_event_id, confirmed, fence, other_status_seen_at,
        past_due_seen_at, past_due_since, settle_at, settle_attempts, missing_in_stripe_at
      FROM subscriptions_in
      WHERE (SELECT count(*) FROM locked) >= 0 AND (SELECT count(*) FROM made) >= 0
      ORDER BY id COLLATE "C"
      ON CONFLICT (id) DO UPDATE SET
        user_ref = excluded.user_ref, stripe_customer_id = excluded.stripe_customer_id,
        claimed_project_id = excluded.claimed_project_id, claimed_user_id = excluded.claimed_user_id,
        status = excluded.status, cancel_at = excluded.cancel_at,
        cancel_at_period_end = excluded.cancel_at_period_end, canceled_at = excluded.canceled_at,
        ended_at = excluded.ended_at, trial_end = excluded.trial_end,
        collection_paused = excluded.collection_paused, latest_invoice_id = excluded.latest_invoice_id,
        latest_invoice_created_at = excluded.latest_invoice_created_at, snapshot_at = excluded.snapshot_at,
        snapshot_event_id = excluded.snapshot_event_id, confirmed = excluded.confirmed,
        fence = excluded.fence, other_status_seen_at = excluded.other_status_seen_at,
        past_due_seen_at = excluded.past_due_seen_at, past_due_since = excluded.past_due_since,
        settle_at = excluded.settle_at, settle_attempts = excluded.settle_attempts,
        missing_in_stripe_at = excluded.missing_in_stripe_at, updated_at = now()
      WHERE stored.fence = excluded.fence - 1
      RETURNING id),
    subscription_items_in AS MATERIALIZED (
      SELECT x.*
      FROM input, jsonb_to_recordset(doc -> 'subscription_items') AS x(
        subscription_id text, item_id text, stripe_price_id text, quantity bigint,
        current_period_start timestamptz, current_period_end timestamptz)
      JOIN held_subscriptions ON held_subscriptions.id = x.subscription_id),
    subscription_items_gone AS (
      DELETE FROM subscription_items AS stored
      USING held_subscriptions, subscriptions_in
      WHERE stored.subscription_id = held_subscriptions.id AND subscriptions_in.id = held_subscriptions.id
        AND subscriptions_in.has_new_items
        AND NOT EXISTS (
          SELECT FROM subscription_items_in AS kept
          WHERE kept.subscription_id = stored.subscription_id AND kept.item_id = stored.item_id)),
    subscription_items_kept AS (
      INSERT INTO subscription_items (
        subscription_id, item_id, stripe_price_id, quantity, current_period_start, current_period_end)
      SELECT * FROM subscription_items_in
      ON CONFLICT (subscription_id, item_id) DO UPDATE SET
        stripe_price_id = excluded.stripe_price_id, quantity = excluded.quantity,
        current_period_start = excluded.current_period_start, current_period_end = excluded.current_period_end),
    purchases_in AS MATERIALIZED (
      SELECT x.*, coalesce(x.user_ref, made.id) AS owner_ref
      FROM input, jsonb_to_recordset(doc -> 'purchases') AS x(
        id text, user_ref bigint, new_project_id text, new_user_id text, stripe_customer_id text,
        claimed_project_id text, claimed_user_id text, session_id text, charge_id text, status text,
        amount bigint, amount_refunded bigint, currency text, paid_at timestamptz,
        refund_snapshot_at timestamptz, dispute_status text, snapshot_event_id text, confirmed boolean,
        fence bigint, settle_at timestamptz, settle_attempts integer, has_new_items boolean)
      LEFT JOIN made ON made.project_id = x.new_project_id AND made.user_id = x.new_user_id
      WHERE x.new_user_id IS NULL OR made.id IS NOT NULL),
    held_purchases AS (
      INSERT INTO purchases AS stored (
        id, user_ref, stripe_customer_id, claimed_project_id, claimed_user_id, session_id, charge_id, status,
        amount, amount_refunded, currency, paid_at, refund_snapshot_at, dispute_status, snapshot_event_id,
        confirmed, fence, settle_at, settle_attempts)
      SELECT
        id, owner_ref, stripe_customer_id, claimed_project_id, claimed_user_id, session_id, charge_id, status,
        amount, amount_refunded, currency, paid_at, refund_snapshot_at, dispute_status, snapshot_event_id,
        confirmed, fence, settle_at, settle_attempts
      FROM purchases_in
      WHERE (SELECT count(*) FROM locked) >= 0 AND (SELECT count(*) FROM held_subscriptions) >= 0
      ORDER BY id COLLATE "C"
      ON CONFLICT (id) DO UPDATE SET
        user_ref = excluded.user_ref, stripe_customer_id = excluded.stripe_customer_id,
        claimed_project_id = excluded.claimed_project_id, claimed_user_id = excluded.claimed_user_id,
        session_id = excluded.session_id, charge_id = excluded.charge_id, status = excluded.status,
        amount = excluded.amount, amount_refunded = excluded.amount_refunded, currency = excluded.currency,
        paid_at = excluded.paid_at, refund_snapshot_at = excluded.refund_snapshot_at,
        dispute_status = excluded.dispute_status, snapshot_event_id = excluded.snapshot_event_id,
        confirmed = excluded.confirmed, fence = excluded.fence, settle_at = excluded.settle_at,
        settle_attempts = excluded.settle_attempts, updated_at = now()
      WHERE stored.fence = excluded.fence - 1
      RETURNING id),
    purchase_items_in AS MATERIALIZED (
      SELECT x.*
      FROM input, jsonb_to_recordset(doc -> 'purchase_items') AS x(
        purchase_id text, stripe_price_id text, quantity bigint)
      JOIN held_purchases ON held_purchases.id = x.purchase_id),
    purchase_items_gone AS (
      DELETE FROM purchase_items AS stored
      USING held_purchases, purchases_in
      WHERE stored.purchase_id = held_purchases.id AND purchases_in.id = held_purchases.id
        AND purchases_in.has_new_items
        AND NOT EXISTS (
          SELECT FROM purchase_items_in AS kept
          WHERE kept.purchase_id = stored.purchase_id AND kept.stripe_price_id = stored.stripe_price_id)),
    purchase_items_kept AS (
      INSERT INTO purchase_items (purchase_id, stripe_price_id, quantity)
      SELECT * FROM purchase_items_in
      ON CONFLICT (purchase_id, stripe_price_id) DO UPDATE SET quantity = excluded.quantity),
    tombstones AS (
      INSERT INTO customers AS stored (stripe_customer_id, source, deleted_at)
      SELECT x.id, 'event', x.deleted_at
      FROM input, jsonb_to_recordset(doc -> 'tombstones') AS x(id text, deleted_at timestamptz)
      ORDER BY x.id COLLATE "C"
      ON CONFLICT (stripe_customer_id) DO UPDATE SET deleted_at = coalesce(stored.deleted_at, excluded.deleted_at)),
    held AS MATERIALIZED (
      SELECT 'subscription:' || id AS object_key FROM held_subscriptions
      UNION ALL SELECT 'purchase:' || id FROM held_purchases),
    bumped AS (
      UPDATE users SET version = version + 1
      WHERE id IN (SELECT user_ref FROM bumps JOIN held USING (object_key))
      RETURNING project_id, user_id, version),
    owed AS (
      INSERT INTO cache_invalidations (project_id, user_id, version)
      SELECT project_id, user_id, version FROM bumped
      UNION ALL SELECT project_id, user_id, version FROM made
      RETURNING id, project_id, user_id, version),
    recorded AS (
      INSERT INTO stripe_events AS stored (
        event_id, type, object_id, customer_id, project_id, api_version, status, reason, awaits, created,
        received_at, processed_at, payload)
      SELECT
        x.event_id, x.type, x.object_id, x.customer_id, x.project_id, x.api_version, x.status, x.reason,
        x.awaits, x.created, x.received_at, x.processed_at, x.payload
      FROM input, jsonb_to_recordset(doc -> 'events') AS x(
        object_key text, event_id text, type text, object_id text, customer_id text, project_id text,
        api_version text, status text, reason text, awaits text, created timestamptz, received_at timestamptz,
        processed_at timestamptz, payload jsonb)
      WHERE x.object_key IS NULL OR x.object_key IN (SELECT object_key FROM held)
      ORDER BY x.event_id COLLATE "C"
      ON CONFLICT (event_id) DO UPDATE SET
        object_id = excluded.object_id, customer_id = excluded.customer_id, project_id = excluded.project_id,
        status = excluded.status, reason = excluded.reason, awaits = excluded.awaits,
        processed_at = excluded.processed_at, attempts = stored.attempts + 1, payload = excluded.payload
      WHERE stored.status IN ('failed', 'quarantined')
      RETURNING event_id)
    SELECT
      (SELECT coalesce(jsonb_agg(object_key), '[]') FROM held) AS held,
      (SELECT coalesce(jsonb_agg(event_id), '[]') FROM recorded) AS recorded,
      (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'id', id, 'projectId', project_id, 'userId', user_id, 'version', version)), '[]') FROM owed) AS owed`;
  const [row] = rows;
  if (row === undefined) throw new Error('writing outcomes returned no row');
  return {
    held: new Set(row.held),
    recorded: new Set(row.recorded),
    owed: row.owed.map((one) => ({ ...one, id: BigInt(one.id), version: BigInt(one.version) })),
  };
}
