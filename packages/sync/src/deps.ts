import type { Clock, StripeLookup, SubscriptionSnapshot } from '@billing/domain';
import type { JobQueue, Logger, Metrics, StripeClient } from '@billing/platform';
import type { Database, EntitlementCache, ErasureKeys, OutboxCleaner, Replicas, Usage } from '@billing/store';
import type { MeterSettings } from './usage/meters/meter-settings.ts';
import type { ReadBudget } from './stripe/read-budget.ts';
import type { SharedLookups } from './stripe/share-lookups.ts';
import type { LookupMetrics, SyncMetrics } from './sync-metrics.ts';
import type { TellingSettings } from './webhooks/telling-settings.ts';

/** What the use cases need; the app that runs them builds it. */
export type SyncDeps = {
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  counters: SyncMetrics;
  database: Database;
  cache: EntitlementCache;
  /** Deletes published invalidations, many at a time. */
  outboxCleaner: OutboxCleaner;
  stripe: StripeClient;
  /** Of the secret key: events of the other mode never change anything. */
  mode: 'live' | 'test';
  budget: ReadBudget;
  subscriptionLookups: SharedLookups<StripeLookup<SubscriptionSnapshot>>;
  /** Of `ERASURE_KEY`: erased users are told by digests. */
  erasureKeys: ErasureKeys;
  /** How long an event that keeps failing for its own reasons is retried. */
  eventRetryMs: number;
};

/** What writing plans takes. */
export type WriteDeps = Pick<SyncDeps, 'database' | 'cache' | 'logger'> & {
  outboxCleaner?: OutboxCleaner;
  counters: Pick<LookupMetrics, 'identityConflicts'>;
};

/** What asking Stripe takes. */
export type AskDeps = Pick<SyncDeps, 'budget' | 'logger'> & {
  counters: Pick<LookupMetrics, 'missingInStripe' | 'readsRefused'>;
};

/** What the jobs of the maintenance queue need besides. */
export type MaintenanceDeps = SyncDeps & {
  /** For what may be some seconds old. */
  replicas: Replicas;
  stripeEvents: JobQueue;
  maintenance: JobQueue;
  /** Recorded usage that waits for Postgres. */
  usageEvents: JobQueue;
  /** Usage of this process. */
  usage: Usage;
  /** How usage is reported to meters of Stripe. */
  meters: MeterSettings;
  /** How products are told of changes. */
  telling: TellingSettings;
  /** Identifies this process as the holder of a run or of the sweep. */
  workerId: string;
  /** Aborted when the worker stops: work ends at its next step. */
  signal: AbortSignal;
  sweepIntervalMs: number;
  /** In UTC. */
  reconcileCron: string;
  /** How long the ledger keeps finished events. */
  eventRetentionMs: number;
  /** How long messages to products are kept. */
  webhookRetentionMs: number;
};

/** What to do with a job after an attempt: it is done, or it goes back to the queue for a while. */
export type JobOutcome = { kind: 'done' } | { kind: 'later'; pauseMs: number; data?: object };
