import { maintenanceJobs } from '@billing/domain';
import { endRun, getRun, scheduleReconcile } from '@billing/store';
import {
  deleteExpired,
  eraseRun,
  enqueueRun,
  logAuditHead,
  pauseForOthersMs,
  pauseInOutageMs,
  reconcileRun,
  replayEventRun,
  replayRun,
  sweepEvents,
} from '@billing/sync';
import type { JobOutcome, MaintenanceDeps, RunWorker } from '@billing/sync';
import type { Job } from 'bullmq';
import type { Processor } from './create-consumer.ts';

const done: JobOutcome = { kind: 'done' };

/** After that many crashes of a worker while it processed the job, the job is the likely cause. */
const maxCrashes = 10;

const workerOf: Record<string, RunWorker> = {
  reconcile: reconcileRun,
  replay: replayRun,
  replay_event: replayEventRun,
  erase: eraseRun,
};

async function workOn(deps: MaintenanceDeps, runId: string, crashes: number): Promise<JobOutcome> {
  if (crashes >= maxCrashes) {
    deps.logger.error('run_failed', { run_id: runId, why: 'crashed_repeatedly' });
    await endRun(deps.database, { runId, workerId: null, status: 'failed', error: 'crashed_repeatedly' });
    return done;
  }
  const run = await getRun(deps.database, runId);
  if (run === null || run.status !== 'running') return done;
  const work = workerOf[run.kind];
  // Only a newer version knows this kind.
  return work === undefined ? { kind: 'later', pauseMs: pauseForOthersMs() } : work(deps, runId);
}

type Handler = (deps: MaintenanceDeps, job: Job) => Promise<JobOutcome>;

/** By job name. */
const handlers: Record<keyof typeof maintenanceJobs, Handler> = {
  sweep: sweepEvents,
  reconcile: async (deps, job) => {
    const { run_id: runId } = maintenanceJobs.reconcile.parse(job.data);
    if (runId !== undefined) return workOn(deps, runId, job.stalledCounter);
    const scheduled = await scheduleReconcile(deps.database);
    if (scheduled !== null) await enqueueRun(deps, { id: scheduled.runId, kind: 'reconcile' });
    return done;
  },
  erase: (deps, job) => {
    const { run_id: runId } = maintenanceJobs.erase.parse(job.data);
    return workOn(deps, runId, job.stalledCounter);
  },
  replay: (deps, job) => {
    const { run_id: runId } = maintenanceJobs.replay.parse(job.data);
    return workOn(deps, runId, job.stalledCounter);
  },
  retention: async (deps) => {
    await logAuditHead(deps);
    return deleteExpired(deps);
  },
};

const isKnown = (name: string): name is keyof typeof maintenanceJobs => Object.hasOwn(maintenanceJobs, name);

/** The processor of `maintenance`. A job that this version does not know goes back to the queue. */
export function createMaintenanceProcessor(deps: MaintenanceDeps): Processor {
  return async (job) => {
    if (!isKnown(job.name)) return { kind: 'later', pauseMs: pauseForOthersMs() };
    if (!maintenanceJobs[job.name].safeParse(job.data).success) {
      deps.logger.error('job_not_understood', { queue: 'maintenance', name: job.name });
      return done;
    }
    try {
      return await handlers[job.name](deps, job);
    } catch (error) {
      // Postgres has the position, so another attempt repeats one step at most.
      deps.logger.warn('maintenance_job_put_back', { name: job.name, error });
      return { kind: 'later', pauseMs: pauseInOutageMs(3) };
    }
  };
}
