import { setTimeout as sleep } from 'node:timers/promises';
import { replayEventRequest, replayEventResponse, ServiceError } from '@billing/domain';
import { getRun, requestEventReplay, withdrawRun } from '@billing/store';
import type { Run } from '@billing/store';
import type { AppDeps } from '../../deps.ts';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { announceRun } from './announce-run.ts';

/** How long the caller waits for a worker. */
const waitMs = 15_000;
const lookEveryMs = 100;

export const replayEvent = defineEndpoint({
  method: 'post',
  path: '/api/v1/admin/events/{event_id}/replay',
  operationId: 'replayEvent',
  tag: 'Maintenance',
  summary: 'Process one event again',
  description:
    'Done by the worker; 503 if none answers within 15 seconds. With `dry_run` nothing changes. An event whose payload is no longer kept is read from Stripe, which lists it for 30 days.',
  access: { admin: 'operator', limitedBy: 'handler' },
  body: { schema: replayEventRequest, example: { dry_run: true } },
  answers: [
    {
      status: 200,
      description: 'What it changed, or would change.',
      schema: replayEventResponse,
      example: {
        event_id: 'evt_123',
        dry_run: true,
        outcome: 'applied',
        reason: null,
        changes: [{ path: 'subscription.status', before: 'active', after: 'past_due' }],
      },
    },
  ],
  errors: ['event_not_found', 'payload_expired', 'stripe_unavailable'],
  handle: async (deps, { params, body, actor, onlyProject }) => {
    const order = { eventId: params.event_id, dryRun: body.dry_run, reason: body.reason, onlyProject };
    const ordered = await requestEventReplay(deps.database, order, actor);
    if (ordered === null) throw eventNotFound();
    const { runId } = ordered;
    await announceRun(deps, 'replay', runId);
    const run = await awaitEnd(deps, runId);
    if (run === null) await withdrawRun(deps.database, runId);
    if (run?.status !== 'done') throw (failures[run?.error ?? ''] ?? noAnswer)();
    return { body: replayEventResponse.parse(run.result) };
  },
});

/** The run once it is over; null: not within the time. */
async function awaitEnd({ database }: Pick<AppDeps, 'database'>, runId: string): Promise<Run | null> {
  const givesUpAt = performance.now() + waitMs;
  while (performance.now() < givesUpAt) {
    const run = await getRun(database, runId);
    if (run !== null && run.status !== 'running') return run;
    await sleep(lookEveryMs);
  }
  return null;
}

const eventNotFound = (): ServiceError =>
  new ServiceError('event_not_found', 'Use an event_id that GET /api/v1/admin/events lists.');

/** Why the worker could not replay it, by what the run says. */
const failures: Partial<Record<string, () => ServiceError>> = {
  payload_expired: () =>
    new ServiceError(
      'payload_expired',
      'Reconcile in its place: it brings the object to what Stripe has now.',
    ),
  stripe_unavailable: () =>
    new ServiceError('stripe_unavailable', 'Send it again: the payload must be read from Stripe.', {
      retryable: true,
      retryAfterSeconds: 5,
    }),
};

const noAnswer = (): ServiceError =>
  new ServiceError('service_unavailable', 'Try again when a worker runs: none has answered in time.', {
    retryable: true,
    retryAfterSeconds: 5,
  });
