import type { Clock, StripeLookup, SubscriptionSnapshot } from '@billing/domain';
import type { JobQueue, Logger, Metrics, StripeClient } from '@billing/platform';
import type { Database, EntitlementCache, OutboxCleaner } from '@billing/store';
import type { ReadBudget } from './stripe/read-budget.ts';
import type { SharedLookups } from './stripe/share-lookups.ts';
import type { SyncMetrics } from './sync-metrics.ts';

export type { StripeClient };

/** What the worker's work is made of; `main.ts` (or a test) builds it. */
export type SyncDeps = {
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  counters: SyncMetrics;
  database: Database;
  cache: EntitlementCache;
  /** Deletes settled invalidations, many at a time. */
  outboxCleaner: OutboxCleaner;
  stripe: StripeClient;
  /** Of the secret key: events of the other mode never touch state. */
  mode: 'live' | 'test';
  budget: ReadBudget;
  subscriptionLookups: SharedLookups<StripeLookup<SubscriptionSnapshot>>;
  /** How long an event that keeps failing for reasons of its own is tried again. */
  eventRetryMs: number;
};

/** What the jobs of the maintenance queue need besides. */
export type MaintenanceDeps = SyncDeps & {
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
