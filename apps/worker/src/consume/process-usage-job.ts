import { applyQueuedUsage } from '@billing/sync';
import type { MaintenanceDeps } from '@billing/sync';
import type { Processor } from './create-consumer.ts';

/** The processor of `usage-events`: a job is done once its usage is committed, or written down as refused. */
export const createUsageProcessor =
  (deps: MaintenanceDeps): Processor =>
  (job) =>
    applyQueuedUsage(deps, { data: job.data, crashes: job.stalledCounter });
