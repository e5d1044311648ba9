import { eventStatuses, hourMs, sampleSlot, webhookDeliveryStatuses } from '@billing/domain';
import type { EventStatus, ReconcileResult, ReplayResult } from '@billing/domain';
import {
  claimRun,
  endRun,
  openSession,
  requestReconcile,
  requestReplay,
  saveRun,
  saveSample,
  takeSampleSlot,
  writeRevenueDay,
} from '@billing/store';
import type { Database } from '@billing/store';
import { uniqueId } from '../../testing/start-commerce.test-support.ts';

const reasons: Record<EventStatus, string | null> = {
  applied: null,
  stale: null,
  ignored: 'no_effect',
  quarantined: 'unknown_customer',
  failed: 'processing_failed',
};

/** A row of the ledger for each thing that can become of an event; returns their ids. */
export async function seedEvents(database: Database, objectId: string): Promise<string[]> {
  const rows = eventStatuses.map((status, index) => ({
    eventId: uniqueId('evt'),
    type: 'customer.subscription.updated',
    // What waits is about an object that other calls do not release.
    objectId: status === 'ignored' ? null : status === 'quarantined' ? uniqueId('sub') : objectId,
    status,
    reason: reasons[status],
    customerId: status === 'quarantined' ? 'cus_seeded' : null,
    awaits: status === 'quarantined' ? 'cus_seeded' : null,
    created: new Date(1_795_341_600_000 + index),
    receivedAt: new Date(),
    payload: {},
  }));
  await database.stripeEvent.createMany({ data: rows });
  return rows.map(({ eventId }) => eventId);
}

/** Sessions of the console of this name; returns their ids. */
export async function seedSessions(database: Database, name: string): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < 3; index += 1) {
    const digest = new TextEncoder().encode(uniqueId('session'));
    ids.push((await openSession(database, { digest, name, now: Date.now() })).id);
  }
  return ids;
}

/** A sample with all that one can hold. */
export async function seedSample(database: Database): Promise<void> {
  const at = sampleSlot(Date.now()) - 10_000;
  await takeSampleSlot(database, at);
  await saveSample(database, {
    at,
    queues: [{ name: 'stripe-events', waiting: 3, active: 2, delayed: 1, failed: 0, oldest_seconds: 0.25 }],
    events: { applied: 4, stale: 3, ignored: 2, quarantined: 1, failed: 0 },
    stripeReads: { perSecond: 20, allowedPerSecond: 20, available: 12.5 },
  });
}

/** Usage that waits for its user's Stripe customer. */
export async function seedMeterHour(database: Database, projectId: string): Promise<void> {
  const hour = new Date(Math.floor(Date.now() / hourMs) * hourMs);
  await database.usageMeterHour.create({
    data: { projectId, userId: uniqueId('user'), featureCode: 'api_calls', hour, waitsSince: hour },
  });
}

/** What the worker writes of a day. */
export async function seedRevenueDay(database: Database, projectId: string): Promise<void> {
  const day = new Date().toISOString().slice(0, 10);
  const numbers = { active: 1, trialing: 0, total: 1, statuses: { active: 1 } };
  const metrics = { ...numbers, mrr: [{ currency: 'usd', amount: 1_000 }], main: null };
  const changes = { begun: 1, ended: 0 };
  await writeRevenueDay(database, { projectId, day, metrics, changes, now: new Date() });
}

/** A message of each state of a delivery, and what was answered; returns their ids. */
export async function seedWebhookMessages(
  database: Database,
  { projectId, userId, endpointId }: { projectId: string; userId: string; endpointId: string },
): Promise<string[]> {
  const ids = webhookDeliveryStatuses.map(() => uniqueId('msg'));
  const told = { project_id: projectId, user_id: userId, version: 3, previous_version: null };
  for (const [index, status] of webhookDeliveryStatuses.entries()) {
    const id = ids[index] ?? '';
    const ofUser = { projectId, userId, type: 'entitlements.changed', version: 3n };
    const state = { causes: ['backfill'], changes: [], entitlements: [] };
    const times = { as_of: '2026-11-22T10:00:00.000Z', valid_until: null };
    const body = (data: object) =>
      JSON.stringify({ type: ofUser.type, timestamp: '2026-11-22T10:00:00.000Z', data });
    await database.webhookMessage.create({
      data: { id, ...ofUser, full: body({ ...told, ...state, ...times }), thin: body(told) },
    });
    await database.webhookDelivery.create({
      data: {
        messageId: id,
        endpointId,
        ...ofUser,
        form: 'full',
        status,
        attempts: index,
        // Not of these tests' time.
        nextTryAt: status === 'pending' ? new Date(Date.now() + hourMs) : null,
      },
    });
    const attempt = { messageId: id, endpointId, at: new Date(), durationMs: 12 };
    await database.webhookAttempt.createMany({
      data: [
        { ...attempt, status: null, error: 'timeout', response: null },
        { ...attempt, status: 200, error: null, response: 'ok' },
      ],
    });
  }
  return ids;
}

/** Usage that was queued and then refused. */
export async function seedUsageRefusal(
  database: Database,
  { projectId, userId }: { projectId: string; userId: string },
): Promise<void> {
  const request = { user_id: userId, feature_code: 'api_calls', event_id: 'refused', quantity: 2 };
  await database.usageRefusal.create({
    data: {
      projectId,
      userId,
      eventId: request.event_id,
      featureCode: request.feature_code,
      refusedAt: new Date(),
      code: 'event_conflict',
      detail: 'Send another `event_id`.',
      request,
    },
  });
}

const reconciled: ReconcileResult = {
  subscriptions_synced: 2,
  subscriptions_updated: 1,
  subscriptions_missing_in_stripe: 1,
  purchases_synced: 1,
  purchases_updated: 0,
  purchases_missing_in_stripe: 0,
  drift: [
    {
      kind: 'subscription_updated',
      object_id: 'sub_1',
      before: { status: 'active' },
      after: { status: 'past_due' },
    },
    { kind: 'subscription_missing_in_stripe', object_id: 'sub_2', before: { status: 'active' }, after: null },
  ],
  drift_truncated: false,
  looked_back_to: '2026-10-22T10:00:00.000Z',
};

const replayed: ReplayResult = {
  events_replayed: 2,
  events_without_payload: 1,
  outcomes: { applied: 1, stale: 1, ignored: 0, quarantined: 0, failed: 0 },
  changes: [{ event_id: 'evt_1', path: 'subscription.status', before: 'active', after: null }],
  changes_truncated: false,
};

const actor = { name: 'tester', requestId: null };
const workerId = 'a worker';

/** Runs that are done, failed, under way and not begun, each at most with what it has found so far; returns their ids. */
export async function seedRuns(database: Database, projectId: string): Promise<string[]> {
  const reconcile = async (scope: { dryRun: boolean; projectId: string | null }): Promise<string> => {
    const { runId } = await requestReconcile(database, scope, actor);
    await claimRun(database, { runId, workerId });
    return runId;
  };
  const done = await reconcile({ dryRun: false, projectId: null });
  await endRun(database, { runId: done, workerId, status: 'done', result: reconciled });
  const failed = await reconcile({ dryRun: true, projectId });
  await endRun(database, { runId: failed, workerId, status: 'failed', error: 'Stripe refused the key' });
  const replay = await requestReplay(database, { object_id: 'sub_1', dry_run: true }, actor);
  await claimRun(database, { runId: replay.runId, workerId });
  await endRun(database, { runId: replay.runId, workerId, status: 'done', result: replayed });
  const running = await reconcile({ dryRun: false, projectId });
  const state = { phase: 'refunds', objects: 3, after: 're_1', since: 1 };
  await saveRun(database, { runId: running, workerId, state, result: reconciled });
  const queued = await requestReplay(database, { dry_run: false }, actor);
  return [done, failed, replay.runId, running, queued.runId];
}

const lookEveryMs = 50;

/**
 * Takes the worker's place, as apps never import each other: looks in Postgres, as workers do, for replays that a caller
 * waits for, and ends each with a result. Returns what stops it.
 */
export function answerReplays(database: Database): () => Promise<void> {
  const stop = new AbortController();
  let turn = 0;
  const look = async (): Promise<void> => {
    const waiting = await database.run.findMany({ where: { kind: 'replay_event', status: 'running' } });
    for (const { id: runId, params, dryRun } of waiting) {
      await claimRun(database, { runId, workerId });
      const { event_id: eventId } = params as { event_id: string };
      const outcome = eventStatuses[turn++ % eventStatuses.length];
      const changes = outcome === 'applied' ? [{ path: 'a', before: { b: [1] }, after: null }] : [];
      const result = { event_id: eventId, dry_run: dryRun, outcome, reason: null, changes };
      await endRun(database, { runId, workerId, status: 'done', result });
    }
  };
  const looking = (async () => {
    while (!stop.signal.aborted) {
      // Tests also take Postgres away.
      await look().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
  })();
  return () => {
    stop.abort();
    return looking;
  };
}
