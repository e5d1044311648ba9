import { isGone, isSuccess, toTimestampOrNull } from '@billing/domain';
import type { DecidedTry, Instant } from '@billing/domain';
import type { WebhookAttempt } from '@billing/platform';
import type { Database } from '../create-database.ts';
import { sqlTemplate } from '../sql-template.ts';
import { stillPending, thenByIndex } from './read-by-index.ts';
import type { ClaimedDelivery } from './claim-deliveries.ts';

/** A try that has ended, and what becomes of its delivery. */
export type RecordedTry = {
  claim: Omit<ClaimedDelivery, 'body'>;
  attempt: WebhookAttempt;
  decided: DecidedTry;
};

/** An endpoint that must not be called any more, and why. */
export type EndpointToDisable = { endpointId: string; reason: 'gone' | 'failing' };

type Standing = {
  endpoint_id: string;
  succeeded_at: string | null;
  /** The first failure since the last success among these tries. */
  failed_at: string | null;
};

/** How an endpoint did, by its tries in the order of their ends. */
function standingsOf(tries: readonly RecordedTry[]): Standing[] {
  const byEndpoint = new Map<string, { succeededAt: Instant | null; failedAt: Instant | null }>();
  for (const { claim, attempt } of tries) {
    const endedAt = attempt.at.getTime() + attempt.durationMs;
    const before = byEndpoint.get(claim.endpointId) ?? { succeededAt: null, failedAt: null };
    byEndpoint.set(
      claim.endpointId,
      isSuccess(attempt.status)
        ? { succeededAt: endedAt, failedAt: null }
        : { ...before, failedAt: before.failedAt ?? endedAt },
    );
  }
  return [...byEndpoint].map(([endpointId, { succeededAt, failedAt }]) => ({
    endpoint_id: endpointId,
    succeeded_at: toTimestampOrNull(succeededAt),
    failed_at: toTimestampOrNull(failedAt),
  }));
}

/** What is due at them is not chosen meanwhile: nothing is put off behind a try that has just ended. */
const lockEndpoints = sqlTemplate(`
  SELECT ${thenByIndex("json_build_object('locked', count(*))")} FROM (
    SELECT FROM public.webhook_endpoints
    WHERE id IN (SELECT endpoint_id FROM json_to_recordset($standings::json) AS h (endpoint_id text))
    ORDER BY id FOR NO KEY UPDATE) one`);

/** Endpoints that go on as they did are written once a second at most. */
const writeStandings = sqlTemplate(`
  WITH standing AS (
    SELECT * FROM json_to_recordset($standings::json)
      AS h (endpoint_id text, succeeded_at timestamptz, failed_at timestamptz)),
  written AS (
    UPDATE public.webhook_endpoints e
    SET last_success_at = greatest(e.last_success_at, h.succeeded_at),
      failing_since = CASE WHEN h.succeeded_at IS NULL THEN coalesce(e.failing_since, h.failed_at) ELSE h.failed_at END
    FROM standing h
    WHERE e.id = h.endpoint_id AND (
      (h.failed_at IS NOT NULL AND (h.succeeded_at IS NOT NULL OR e.failing_since IS NULL))
      OR (h.failed_at IS NULL AND e.failing_since IS NOT NULL)
      OR h.succeeded_at >= coalesce(e.last_success_at, '-infinity') + interval '1 second')
    RETURNING e.id, e.failing_since)
  SELECT coalesce(json_agg(e.id), '[]') FROM public.webhook_endpoints e
  JOIN standing h ON h.endpoint_id = e.id AND h.failed_at IS NOT NULL LEFT JOIN written w ON w.id = e.id
  WHERE e.is_enabled AND e.deleted_at IS NULL
    AND coalesce(w.failing_since, e.failing_since) <= now() - make_interval(secs => $disable_after::float8)`);

const behind = (isSame: string): string => `
  (SELECT d.id FROM public.webhook_deliveries d
   WHERE d.endpoint_id = u.endpoint_id AND ${isSame} AND d.status = 'pending' AND d.is_behind ORDER BY d.id LIMIT 1)`;

/**
 * A try counts only while its claim is kept. What was superseded or discarded meanwhile stays so, unless it was accepted after all.
 * The next of the same user is due at once.
 */
const writeTries = sqlTemplate(`
  WITH ended AS (
    SELECT * FROM json_to_recordset($tries::json) AS r (id bigint, message_id text, endpoint_id text, user_id text,
      claimed_until timestamptz, outcome text, wait_ms bigint, at timestamptz, status integer, duration_ms integer,
      error text, response text, is_resend boolean)),
  done AS (
    UPDATE public.webhook_deliveries d
    SET attempts = d.attempts + 1, claimed_until = NULL,
      status = CASE WHEN r.outcome = 'succeeded' THEN 'succeeded'
        WHEN d.status = 'pending' AND r.outcome = 'failed' THEN 'failed' ELSE d.status END,
      next_try_at = CASE WHEN d.status = 'pending' AND r.outcome = 'retrying'
        THEN clock_timestamp() + make_interval(secs => r.wait_ms / 1000.0) END
    FROM ended r WHERE d.id = r.id AND d.claimed_until = r.claimed_until AND d.id = ANY(ARRAY(SELECT id FROM ended))
    RETURNING d.id),
  attempts AS (
    INSERT INTO public.webhook_attempts (message_id, endpoint_id, at, status, duration_ms, error, response, is_resend)
    SELECT r.message_id, r.endpoint_id, r.at, r.status, r.duration_ms, r.error, r.response, r.is_resend
    FROM ended r
    JOIN (SELECT m.id FROM public.webhook_messages m WHERE m.id = ANY(ARRAY(SELECT message_id FROM ended)) FOR KEY SHARE) m
      ON m.id = r.message_id
    ORDER BY r.at),
  woken AS (
    UPDATE public.webhook_deliveries d SET next_try_at = clock_timestamp(), is_behind = false
    WHERE ${stillPending('d')} AND d.is_behind AND d.id = ANY(ARRAY(
      SELECT n.id FROM (SELECT DISTINCT endpoint_id, user_id FROM ended) u CROSS JOIN LATERAL (
        ${behind('d.user_id = u.user_id')} UNION ALL ${behind('u.user_id IS NULL AND d.user_id IS NULL')}) n)))
  SELECT json_build_object('kept', (SELECT count(*) FROM done))`);

const toRow = ({ claim, attempt, decided }: RecordedTry) => ({
  id: claim.id,
  message_id: claim.messageId,
  endpoint_id: claim.endpointId,
  user_id: claim.userId,
  claimed_until: new Date(claim.claimedUntil).toISOString(),
  outcome: decided.outcome,
  wait_ms: decided.outcome === 'retrying' ? decided.waitMs : null,
  at: attempt.at.toISOString(),
  status: attempt.status,
  duration_ms: attempt.durationMs,
  error: attempt.error,
  response: attempt.response,
  is_resend: claim.isResend,
});

/** Writes down what became of tries, and answers which endpoints are to be disabled by it. `disableAfterMs`: of failing. */
export async function recordTries(
  database: Pick<Database, '$transactJson'>,
  tries: readonly RecordedTry[],
  { disableAfterMs }: { disableAfterMs: number },
): Promise<EndpointToDisable[]> {
  const standings = JSON.stringify(standingsOf(tries));
  const failing = await database.$transactJson(async (query) => {
    await query(lockEndpoints({ standings }));
    const endpointIds = await query<string[]>(
      writeStandings({ standings, disable_after: disableAfterMs / 1000 }),
    );
    await query(writeTries({ tries: JSON.stringify(tries.map(toRow)) }));
    return endpointIds;
  });
  const gone = new Set(
    tries.filter(({ attempt }) => isGone(attempt.status)).map(({ claim }) => claim.endpointId),
  );
  return [
    ...[...gone].map((endpointId) => ({ endpointId, reason: 'gone' as const })),
    ...failing
      .filter((id) => !gone.has(id))
      .map((endpointId) => ({ endpointId, reason: 'failing' as const })),
  ];
}
