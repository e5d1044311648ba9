import {
  reconcileResult,
  replayEventResponse,
  replayResult,
  runOut,
  runStatuses,
  ServiceError,
} from '@billing/domain';
import type { RunOut } from '@billing/domain';
import { getRun as getRow } from '@billing/store';
import type { Run } from '@billing/store';
import { z } from 'zod';
import { defineEndpoint } from '../../http/define-endpoint.ts';

/** What a worker keeps of its place; before it has one the run is queued. */
const progress = z.object({ phase: z.string(), objects: z.number().int() });

const resultOf = { reconcile: reconcileResult, replay: replayResult, replay_event: replayEventResponse };

const kind = runOut.shape.kind;
const status = z.enum(runStatuses);

/** A run as it is read: how far it is, and what it found so far. */
function presentRun(run: Run): RunOut {
  const known = progress.safeParse(run.state);
  const result = resultOf[kind.parse(run.kind)].safeParse(run.result);
  const { phase, objects } = known.success ? known.data : { phase: 'queued', objects: 0 };
  return {
    run_id: run.id,
    kind: kind.parse(run.kind),
    status: status.parse(run.status),
    dry_run: run.dryRun,
    project_id: run.projectId,
    progress: { phase: run.status === 'done' ? 'done' : phase, objects },
    result: result.success ? result.data : null,
    error: run.error,
    requested_by: run.requestedBy,
    created_at: run.createdAt.toISOString(),
    started_at: run.startedAt?.toISOString() ?? null,
    finished_at: run.finishedAt?.toISOString() ?? null,
  };
}

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
    looked_back_to: '2026-10-23T10:00:00.000Z',
  },
  error: null,
  requested_by: 'alice',
  created_at: '2026-11-22T10:00:00.000Z',
  started_at: '2026-11-22T10:00:01.000Z',
  finished_at: '2026-11-22T10:02:00.000Z',
};

export const getRun = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/reconcile/{run_id}',
  operationId: 'getRun',
  tag: 'Maintenance',
  summary: 'How a run is doing',
  access: { admin: 'viewer' },
  answers: [
    { status: 200, description: 'The run, with its result so far.', schema: runOut, example: runExample },
  ],
  errors: ['run_not_found'],
  handle: async ({ database }, { params }) => {
    const run = await getRow(database, params.run_id);
    if (run === null) throw runNotFound();
    return { body: presentRun(run) };
  },
});

const runNotFound = (): ServiceError =>
  new ServiceError(
    'run_not_found',
    'Use the run_id that POST /api/v1/admin/reconcile or /api/v1/admin/events/replay answered.',
  );
