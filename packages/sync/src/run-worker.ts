import { claimRun, endRun, getRun, pauseRun, saveRun } from '@billing/store';
import type { Run } from '@billing/store';
import type { z } from 'zod';
import type { JobOutcome, MaintenanceDeps } from './deps.ts';

/** What one step of a run came to. Steps are short: between two of them the run can move to another worker. */
export type Step<State, Result> =
  | { kind: 'next'; state: State; result: Result }
  | { kind: 'done'; result: Result }
  | { kind: 'later'; pauseMs: number; why: string }
  | { kind: 'failed'; why: string };

/** What ends a run. */
export type RunStatus = 'done' | 'failed';

/** One kind of run: what it keeps between steps, and what a step does. */
export type RunKind<State extends object, Result extends object> = {
  state: z.ZodType<State>;
  result: z.ZodType<Result>;
  begin: (run: Run) => { state: State; result: Result };
  /** Told once the run has ended. */
  ended?: (deps: MaintenanceDeps, status: RunStatus) => void;
  step: (
    deps: MaintenanceDeps,
    run: Run,
    at: { state: State; result: Result },
  ) => Promise<Step<State, Result>>;
};

export type RunWorker = (deps: MaintenanceDeps, runId: string) => Promise<JobOutcome>;

const done: JobOutcome = { kind: 'done' };

/** Pause while a run of the same kind goes first, or another worker holds this one. */
const turnMs = 2_000;

/** A run that completed no step for that long fails; what it did before stays, and stays reported. */
const maxStuckMs = 3_600_000;

/** Works on a run until it ends, must wait, or this worker stops; saves its position after every step. */
export function createRunWorker<State extends object, Result extends object>(
  kind: RunKind<State, Result>,
): RunWorker {
  return async (deps, runId) => {
    const { database, workerId, signal } = deps;
    const run = await claimRun(database, { runId, workerId });
    if (run === null) {
      const known = await getRun(database, runId);
      return known?.status === 'running' ? { kind: 'later', pauseMs: turnMs } : done;
    }
    const state = kind.state.safeParse(run.state);
    const result = kind.result.safeParse(run.result);
    let at = state.success && result.success ? { state: state.data, result: result.data } : kind.begin(run);
    try {
      for (;;) {
        const step = signal.aborted
          ? ({ kind: 'later', pauseMs: 0, why: 'the worker is stopping' } as const)
          : await kind.step(deps, run, at);
        if (step.kind !== 'next') return await leave(deps, runId, { step, ended: kind.ended });
        at = { state: step.state, result: step.result };
        if (!(await saveRun(database, { runId, workerId, ...at }))) return { kind: 'later', pauseMs: turnMs };
      }
    } catch (error) {
      await pauseRun(database, { runId, workerId, error: null }).catch(() => undefined);
      throw error;
    }
  };
}

type Left = {
  step: Exclude<Step<never, object>, { kind: 'next' }>;
  ended: ((deps: MaintenanceDeps, status: RunStatus) => void) | undefined;
};

async function leave(deps: MaintenanceDeps, runId: string, { step, ended }: Left): Promise<JobOutcome> {
  const { database, workerId, logger } = deps;
  if (step.kind === 'done') {
    await endRun(database, { runId, workerId, status: 'done', result: step.result });
    logger.info('run_done', { run_id: runId });
    ended?.(deps, 'done');
    return done;
  }
  const { stuckMs } = await pauseRun(database, { runId, workerId, error: step.why });
  if (step.kind === 'later' && stuckMs < maxStuckMs) return { kind: 'later', pauseMs: step.pauseMs };
  logger.error('run_failed', { run_id: runId, why: step.why });
  await endRun(database, { runId, workerId: null, status: 'failed', error: step.why });
  ended?.(deps, 'failed');
  return done;
}

/** Adds a run's job to the queue; it may be there already. */
export async function enqueueRun(
  { maintenance }: Pick<MaintenanceDeps, 'maintenance'>,
  { id, kind }: { id: string; kind: string },
): Promise<void> {
  const name = kind === 'reconcile' || kind === 'erase' ? kind : 'replay';
  await maintenance.add({ name, jobId: id, data: { run_id: id } }, { deadlineMs: 5_000 });
}
