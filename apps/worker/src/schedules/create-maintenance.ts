import { randomUUID } from 'node:crypto';
import { dayMs, queueNames } from '@billing/domain';
import { connectRedis, createQueue, startLoop } from '@billing/platform';
import type { JobQueue } from '@billing/platform';
import type { WorkerConfig } from '../config.ts';
import type { Processor } from '../consume/create-consumer.ts';
import type { MaintenanceDeps, SyncDeps } from '@billing/sync';
import { createScheduleKeeper, requeueIdleRuns } from './keep-schedules.ts';
import { createMaintenanceProcessor } from '../consume/process-maintenance-job.ts';

const keepIntervalMs = 2_000;

export type Maintenance = {
  processor: Processor;
  /** For adding to the queue of events. */
  stripeEvents: JobQueue;
  /** Running work stops at its next step; call it before the consumer stops. */
  abort: () => void;
  close: () => Promise<void>;
};

/** Sweep, reconcile, replay and retention: the processor of their jobs, and the loops that maintain their schedules. */
export function createMaintenance(deps: SyncDeps, config: WorkerConfig): Maintenance {
  const { logger } = deps;
  const connection = connectRedis({ url: config.redisUrl, role: 'producer', logger });
  const queue = { connection, prefix: config.queuePrefix, logger };
  const stopping = new AbortController();
  const maintenanceDeps: MaintenanceDeps = {
    ...deps,
    stripeEvents: createQueue({ ...queue, name: queueNames.stripeEvents }),
    maintenance: createQueue({ ...queue, name: queueNames.maintenance }),
    workerId: randomUUID(),
    signal: stopping.signal,
    sweepIntervalMs: config.eventSweepSeconds * 1000,
    reconcileCron: config.reconcileCron,
    eventRetentionMs: config.eventRetentionDays * dayMs,
  };
  const keepSchedules = createScheduleKeeper(maintenanceDeps);
  const loops = [
    startLoop({ name: 'schedules', logger, intervalMs: keepIntervalMs }, keepSchedules),
    startLoop({ name: 'runs', logger, intervalMs: keepIntervalMs }, () => requeueIdleRuns(maintenanceDeps)),
  ];
  return {
    processor: createMaintenanceProcessor(maintenanceDeps),
    stripeEvents: maintenanceDeps.stripeEvents,
    abort: () => stopping.abort(),
    close: async () => {
      stopping.abort();
      await Promise.all(loops.map((loop) => loop.stop()));
      await Promise.all([maintenanceDeps.stripeEvents.close(), maintenanceDeps.maintenance.close()]);
      connection.disconnect();
    },
  };
}
