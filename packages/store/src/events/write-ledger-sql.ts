import { Prisma } from '../generated/client.ts';
import type { StatementInput } from './outcomes.ts';

/**
 * Tombstones of customers that Stripe deleted; no mapping is made. Stripe ends their subscriptions: those that
 * live here are read, should their own events never come. The fence lets a writer who read before decide anew.
 */
export const writeTombstones = (rows: StatementInput['tombstones']): Prisma.Sql => Prisma.sql`
  tombstones_in AS MATERIALIZED (
    SELECT x.* FROM json_to_recordset(${JSON.stringify(rows)}::json) AS x(id text, deleted_at timestamptz)),
  tombstones AS (
    INSERT INTO customers AS stored (stripe_customer_id, source, deleted_at)
    SELECT id, 'event', deleted_at FROM tombstones_in
    ORDER BY id COLLATE "C"
    ON CONFLICT (stripe_customer_id) DO UPDATE SET deleted_at = coalesce(stored.deleted_at, excluded.deleted_at)),
  orphans AS (
    UPDATE subscriptions AS stored
    SET settle_at = coalesce(stored.settle_at, now()), fence = stored.fence + 1, updated_at = now()
    WHERE stored.stripe_customer_id = ANY(ARRAY(SELECT id FROM tombstones_in))
      AND stored.missing_in_stripe_at IS NULL
      AND coalesce(stored.status, '') NOT IN ('canceled', 'incomplete_expired')
      AND NOT EXISTS (SELECT FROM subscriptions_in WHERE subscriptions_in.id = stored.id))`;

/** Versions of the users whose objects were written, and what the cache is pending. */
export const bumpVersions = Prisma.sql`
  held AS MATERIALIZED (
    SELECT 'subscription:' || id AS object_key FROM held_subscriptions
    UNION ALL SELECT 'purchase:' || id FROM held_purchases),
  bumped AS (
    UPDATE users SET version = version + 1
    WHERE id = ANY(ARRAY(SELECT user_ref FROM bumps JOIN held USING (object_key)))
    RETURNING project_id, user_id, version),
  pending AS (
    INSERT INTO cache_invalidations (project_id, user_id, version)
    SELECT project_id, user_id, version FROM bumped
    UNION ALL SELECT project_id, user_id, version FROM made
    RETURNING id, project_id, user_id, version)`;

/** Ledger rows of the events whose objects were written. A final row stays as it is. */
export const recordEvents = (rows: StatementInput['events']): Prisma.Sql => Prisma.sql`
  recorded AS (
    INSERT INTO stripe_events AS stored (
      event_id, type, object_id, customer_id, project_id, api_version, status, reason, awaits, created,
      received_at, processed_at, payload)
    SELECT
      x.event_id, x.type, x.object_id, x.customer_id, x.project_id, x.api_version, x.status, x.reason,
      x.awaits, x.created, x.received_at, x.processed_at, x.payload
    FROM json_to_recordset(${JSON.stringify(rows)}::json) AS x(
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
    RETURNING event_id)`;
