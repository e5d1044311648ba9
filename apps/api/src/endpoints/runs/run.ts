import {
  eraseResult,
  fanOutResult,
  importResult,
  reconcileResult,
  replayEventResponse,
  replayResult,
  runKinds,
  runStatuses,
  ServiceError,
} from '@billing/domain';
import type { RunOut } from '@billing/domain';
import type { Run } from '@billing/store';
import { z } from 'zod';

/** What a worker keeps of its place; before it has one the run is queued. */
const progress = z.object({ phase: z.string(), objects: z.number().int() });

type Result = NonNullable<RunOut['result']>;

/** As the runs are stored: the replay of one event is a kind of its own there, as another worker does it. */
const storedKind = z.enum([...runKinds, 'replay_event']);

const shownKind = (kind: z.output<typeof storedKind>): RunOut['kind'] =>
  kind === 'replay_event' ? 'replay' : kind;

/** What each kind finds. */
const resultOf: Record<z.output<typeof storedKind>, z.ZodType<Result>> = {
  reconcile: reconcileResult,
  replay: replayResult,
  replay_event: replayEventResponse,
  import: importResult,
  erase: eraseResult,
  backfill: fanOutResult,
  base_line: fanOutResult,
};

const status = z.enum(runStatuses);

/** A run as it is read: how far it is, and what it found so far. */
export function presentRun(run: Run): RunOut {
  const known = progress.safeParse(run.state);
  const kind = storedKind.parse(run.kind);
  const result = resultOf[kind].safeParse(run.result);
  const { phase, objects } = known.success ? known.data : { phase: 'queued', objects: 0 };
  return {
    run_id: run.id,
    kind: shownKind(kind),
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

/** The run, unless there is none, or it is not of the only project. Throws `run_not_found`. */
export function requireRun(run: Run | null, onlyProject: string | null): Run {
  if (run === null || (onlyProject !== null && run.projectId !== onlyProject))
    throw new ServiceError('run_not_found', 'Use a run_id that GET /api/v1/admin/runs lists.');
  return run;
}

export const runExample = {
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
