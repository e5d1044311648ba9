import {
  reconcileResult,
  replayEventResponse,
  replayResult,
  runOut,
  runStatuses,
  toTimestampOrNull,
} from '@billing/domain';
import type { RunOut } from '@billing/domain';
import type { Run } from '@billing/store';
import { z } from 'zod';

/** What a worker keeps of its place; before it has one the run is queued. */
const progress = z.object({ phase: z.string(), objects: z.number().int() });

const resultOf = { reconcile: reconcileResult, replay: replayResult, replay_event: replayEventResponse };

const kind = runOut.shape.kind;
const status = z.enum(runStatuses);

const at = (date: Date | null): string | null => toTimestampOrNull(date?.getTime() ?? null);

/** A run as it is read: how far it is, and what it found so far. */
export function presentRun(run: Run): RunOut {
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
    started_at: at(run.startedAt),
    finished_at: at(run.finishedAt),
  };
}
