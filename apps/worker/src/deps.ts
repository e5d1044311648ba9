import type { Clock, Reading, SubscriptionSnapshot } from '@billing/domain';
import type { createStripeClient, JobQueue, Logger, Metrics } from '@billing/platform';
import type { Database, EntitlementCache, Forgetter } from '@billing/store';
import type { ReadBudget } from './stripe/read-budget.ts';
import type { SharedReads } from './stripe/share-reads.ts';
import type { WorkerMetrics } from './operations/worker-metrics.ts';

export type StripeClient = ReturnType<typeof createStripeClient>;

/** What the worker's work is made of; `main.ts` (or a test) builds it. */
export type WorkerDeps = {
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  counters: WorkerMetrics;
  database: Database;
  cache: EntitlementCache;
  /** Deletes settled invalidations, many at a time. */
  forgetter: Forgetter;
  stripe: StripeClient;
  /** Of the secret key: events of the other mode never touch state. */
  mode: 'live' | 'test';
  budget: ReadBudget;
  subscriptionReads: SharedReads<Reading<SubscriptionSnapshot>>;
  /** How long an event that keeps failing for reasons of its own is tried again. */
  eventRetryMs: number;
};

/** What the jobs of the maintenance queue need besides. */
export type MaintenanceDeps = WorkerDeps & {
  stripeEvents: JobQueue;
  maintenance: JobQueue;
  /** Of this process: who holds a run or the sweep. */
  workerId: string;
  /** Aborted when the worker stops: work is left at the next step. */
  signal: AbortSignal;
  sweepIntervalMs: number;
  /** In UTC. */
  reconcileCron: string;
  /** How long the ledger keeps what is settled. */
  eventRetentionMs: number;
};
