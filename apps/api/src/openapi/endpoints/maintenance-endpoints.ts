import {
  reconcileRequest,
  replayEventRequest,
  replayEventResponse,
  replayEventsRequest,
  runAccepted,
  runOut,
} from '@billing/domain';
import type { Endpoint } from '../endpoint.ts';

const base = { tag: 'Maintenance', access: 'admin' } as const;

const runExample = {
  run_id: 'run_5b1e',
  kind: 'reconcile',
  status: 'done',
  dry_run: false,
  project_id: null,
  progress: { phase: 'done', objects: 57 },
  result: {
    subscriptions_synced: 57,
    subscriptions_updated: 1,
    subscriptions_missing_in_stripe: 0,
    purchases_synced: 12,
    purchases_updated: 0,
    purchases_missing_in_stripe: 0,
    drift: [
      {
        kind: 'subscription_updated',
        object_id: 'sub_123',
        before: { status: 'active' },
        after: { status: 'canceled' },
      },
    ],
    drift_truncated: false,
  },
  error: null,
  requested_by: 'alice',
  created_at: '2026-11-22T10:00:00.000Z',
  started_at: '2026-11-22T10:00:01.000Z',
  finished_at: '2026-11-22T10:02:00.000Z',
};

export const maintenanceEndpoints: readonly Endpoint[] = [
  {
    ...base,
    method: 'post',
    path: '/api/v1/admin/reconcile',
    operationId: 'startReconcile',
    summary: 'Compare with Stripe and repair',
    description:
      'Runs in the worker, within the budget of Stripe reads; also every night by itself. While the queue is away the run waits in the database.',
    body: { schema: reconcileRequest, example: { dry_run: true } },
    answers: [{ status: 202, description: 'Started.', schema: runAccepted, example: { run_id: 'run_5b1e' } }],
    errors: ['project_not_found'],
  },
  {
    ...base,
    method: 'get',
    path: '/api/v1/admin/reconcile/{run_id}',
    operationId: 'getRun',
    summary: 'How a run is doing',
    answers: [
      { status: 200, description: 'The run, with its result so far.', schema: runOut, example: runExample },
    ],
    errors: ['run_not_found'],
  },
  {
    ...base,
    method: 'post',
    path: '/api/v1/admin/events/{event_id}/replay',
    operationId: 'replayEvent',
    summary: 'Process one event again',
    description: 'Done by the worker; 503 if none answers within 15 seconds. With `dry_run` nothing changes.',
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
    errors: ['event_not_found'],
  },
  {
    ...base,
    method: 'post',
    path: '/api/v1/admin/events/replay',
    operationId: 'replayEvents',
    summary: 'Process many events again',
    description:
      'All that were recorded, or those of an object, of a window of time (`from` counts, `to` does not), or of both.',
    body: {
      schema: replayEventsRequest,
      example: { from: '2026-11-22T00:00:00Z', to: '2026-11-23T00:00:00Z', dry_run: true },
    },
    answers: [
      {
        status: 202,
        description: 'Started; read it like a reconcile run.',
        schema: runAccepted,
        example: { run_id: 'run_5b1e' },
      },
    ],
    errors: [],
  },
];
