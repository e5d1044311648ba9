import { sqlTemplate } from '../sql-template.ts';
import { stillPending, thenByIndex } from './read-by-index.ts';

/** Milliseconds, whole. */
const ms = (column: string): string => `(extract(epoch FROM ${column}) * 1000)::bigint`;

/**
 * Endpoints, locked until the transaction ends: while one worker chooses what is sent to one, no other does. One that is locked is
 * left to the next turn.
 */
export const lockEndpoints = sqlTemplate(`
  SELECT ${thenByIndex(`coalesce(json_agg(json_build_object(
    'id', l.id, 'url', l.url, 'delivery', l.delivery, 'isOpen', l.is_open, 'discardedTo', l.discarded_to,
    'generation', l.generation, 'keyId', l.key_id, 'previousGeneration', l.previous_generation,
    'previousKeyId', l.previous_key_id, 'previousUntil', ${ms('l.previous_until')})), '[]')`)}
  FROM (
    SELECT e.*, e.is_enabled AND e.deleted_at IS NULL AND p.is_active AS is_open
    FROM public.webhook_endpoints e JOIN public.projects p ON p.id = e.project_id
    WHERE e.id = ANY(ARRAY(SELECT json_array_elements_text($ids::json)))
    FOR NO KEY UPDATE OF e SKIP LOCKED) l`);

/** When an older state of the same sequence that waits is due. */
const olderDue = (isSame: string): string => `
  SELECT ${ms('o.next_try_at')} FROM public.webhook_deliveries o
  WHERE o.endpoint_id = d.endpoint_id AND ${isSame} AND o.status = 'pending' AND o.id < d.id AND o.type = d.type
    AND o.resend = 0
  ORDER BY o.id LIMIT 1`;

const isState = "d.resend = 0 AND d.type IN ('entitlements.changed', 'catalog.changed')";

/** What is due at endpoints, some of each, the longest due first; and whose deliveries to them are under way. */
export const readDue = sqlTemplate(`
  SELECT json_build_object(
    'now', ${ms('now()')},
    'due', (
      SELECT coalesce(json_agg(json_build_object(
        'endpointId', d.endpoint_id, 'id', d.id, 'userId', d.user_id,
        'behindUntil', CASE WHEN ${isState} THEN coalesce(
          (${olderDue('o.user_id = d.user_id')}), (${olderDue('d.user_id IS NULL AND o.user_id IS NULL')})) END,
        'firstTryAt', CASE WHEN d.attempts = 0 AND d.resend = 0
          THEN ${ms('d.created_at')} + $first_wait_ms::bigint ELSE 0 END) ORDER BY d.next_try_at, d.id), '[]')
      FROM json_array_elements_text($ids::json) AS e (id) CROSS JOIN LATERAL (
        SELECT * FROM public.webhook_deliveries one
        WHERE one.endpoint_id = e.id AND one.status = 'pending' AND one.next_try_at <= now()
          AND (one.claimed_until IS NULL OR one.claimed_until <= now())
        ORDER BY one.next_try_at, one.id LIMIT $limit::integer) d),
    'busy', (
      SELECT coalesce(json_agg(json_build_object(
        'endpointId', b.endpoint_id, 'userId', b.user_id, 'until', ${ms('b.claimed_until')})), '[]')
      FROM public.webhook_deliveries b
      WHERE b.endpoint_id = ANY(ARRAY(SELECT json_array_elements_text($ids::json))) AND b.claimed_until > now()))`);

/** Older ones of the same sequence as the row `n` that wait, by the index of what waits of a user. */
const olderOf = (isSame: string): string => `
        (SELECT o.id FROM public.webhook_deliveries o
        WHERE o.endpoint_id = n.endpoint_id AND ${isSame} AND o.status = 'pending' AND o.type = n.type AND o.resend = 0
          AND o.id < n.id
        ORDER BY o.id)`;

/** Older states that wait for the same are superseded, as a newer one is about to be sent. */
export const supersedeOlder = sqlTemplate(`
  WITH superseded AS (
    UPDATE public.webhook_deliveries d SET status = 'superseded', next_try_at = NULL
    WHERE ${stillPending('d')} AND d.id = ANY(ARRAY(
      SELECT older.id FROM public.webhook_deliveries n CROSS JOIN LATERAL (
        ${olderOf('o.user_id = n.user_id')} UNION ALL ${olderOf('n.user_id IS NULL AND o.user_id IS NULL')}) older
      WHERE n.id = ANY(ARRAY(SELECT json_array_elements_text($ids::json)::bigint))))
    RETURNING d.id)
  SELECT json_build_object('superseded', (SELECT count(*) FROM superseded))`);

const pendingAmong = (list: string): string =>
  `${stillPending('d')} AND d.id = ANY(ARRAY(SELECT json_array_elements_text($${list}::json)::bigint))`;

/** Writes a plan. Of the claimed, which are as they were, it answers what is sent. */
export const writePlan = sqlTemplate(`
  WITH closed AS (
    SELECT d.id FROM json_array_elements_text($closed::json) AS e (id) CROSS JOIN LATERAL (
      SELECT one.id FROM public.webhook_deliveries one
      WHERE one.endpoint_id = e.id AND one.status = 'pending' LIMIT 1000) d),
  discarded AS (
    UPDATE public.webhook_deliveries d SET status = 'discarded', next_try_at = NULL
    WHERE ${stillPending('d')} AND d.id = ANY(ARRAY(
      SELECT json_array_elements_text($discarded::json)::bigint UNION ALL SELECT id FROM closed))
    RETURNING d.id),
  put_off AS (
    UPDATE public.webhook_deliveries d
    SET next_try_at = to_timestamp(o.until / 1000.0), is_behind = o.is_behind
    FROM json_to_recordset($put_off::json) AS o (id bigint, until bigint, is_behind boolean)
    WHERE d.id = o.id AND ${stillPending('d')} AND d.id = ANY(ARRAY(
      SELECT id FROM json_to_recordset($put_off::json) AS one (id bigint)))
    RETURNING d.id),
  claimed AS (
    UPDATE public.webhook_deliveries d
    SET claimed_until = now() + make_interval(secs => $claim_seconds::float8),
      next_try_at = now() + make_interval(secs => $claim_seconds::float8), is_behind = false
    FROM public.webhook_messages m
    WHERE ${pendingAmong('claimed')} AND (d.claimed_until IS NULL OR d.claimed_until <= now()) AND m.id = d.message_id
    RETURNING d.id, d.message_id, d.endpoint_id, d.user_id, d.attempts, d.resend, d.claimed_until,
      CASE WHEN d.form = 'thin' THEN coalesce(m.thin, m."full") ELSE m."full" END AS body)
  SELECT json_build_object(
    'discarded', (SELECT count(*) FROM discarded), 'putOff', (SELECT count(*) FROM put_off),
    'claimed', (SELECT coalesce(json_agg(json_build_object(
      'id', id, 'messageId', message_id, 'endpointId', endpoint_id, 'userId', user_id, 'triesBefore', attempts,
      'isResend', resend > 0, 'claimedUntil', ${ms('claimed_until')}, 'body', body) ORDER BY id), '[]') FROM claimed))`);
