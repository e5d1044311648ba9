import type { Clock, StripeLookup, SubscriptionSnapshot } from '@billing/domain';
import type {
  AuthFailures,
  JobQueue,
  Logger,
  Metrics,
  QueueGauges,
  QueueRedisReport,
  RateLimiter,
  Readiness,
  StripePermissions,
  WebhookClient,
  WebhookSecrets,
} from '@billing/platform';
import type {
  Database,
  EntitlementCache,
  ErasureKeys,
  KeyDirectory,
  OutboxCleaner,
  Replicas,
  Usage,
} from '@billing/store';
import type { LookupMetrics, ReadBudget, SharedLookups } from '@billing/sync';
import type { LimitFunction } from 'p-limit';
import type { Stripe } from 'stripe';
import type { WarnOfOpenRedirects } from './checkout/check-redirects.ts';
import type { Session } from './checkout/stripe-answers.ts';
import type { ApiConfig } from './config.ts';
import type { ConsoleMetrics } from './console/console-metrics.ts';
import type { Admission } from './entitlements/admit-misses.ts';
import type { AnswerSource } from './entitlements/answer-source.ts';
import type { WarnOfProxy } from './http/warn-of-proxy.ts';
import type { CheckUsage } from './usage/check-usage.ts';
import type { TakeUsage } from './usage/take-usage.ts';

/** All that the app is made of; `main.ts` (or a test) builds it. */
export type AppDeps = {
  config: ApiConfig;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  database: Database;
  /** For what may be some seconds old. */
  replicas: Replicas;
  /** The entitlement cache, with its rule about versions. */
  cache: EntitlementCache;
  /** Deletes invalidations that were published, many at a time. */
  outboxCleaner: OutboxCleaner;
  /** Entitlements that are not in the cache. */
  answers: AnswerSource;
  /** Of statements that read entitlements while the cache is cold. */
  admission: Admission;
  /** Usage of this process: commits, and copies of balances. */
  usage: Usage;
  takeUsage: TakeUsage;
  checkUsage: CheckUsage;
  /** API key → project. */
  keys: KeyDirectory;
  authFailures: AuthFailures;
  consoleMetrics: ConsoleMetrics;
  /** Requests per project API key. */
  rateLimiter: RateLimiter;
  stripe: Stripe;
  /** Of reads from Stripe: the one that all workers share. */
  budget: ReadBudget;
  subscriptionLookups: SharedLookups<StripeLookup<SubscriptionSnapshot>>;
  counters: LookupMetrics;
  /** What Stripe refuses to the key. */
  stripePermissions: StripePermissions;
  /** Of `ERASURE_KEY`. */
  erasureKeys: ErasureKeys;
  /** Of `WEBHOOK_SECRET_KEY`: secrets of the endpoints that products hear by. */
  webhookSecrets: WebhookSecrets;
  /** Sends to such endpoints. */
  webhookClient: WebhookClient;
  /** Few checkouts at a time read Postgres: many buyers at once must leave connections to those who check. */
  checkoutLimit: LimitFunction;
  /** Stripe customers that this process is making, so that requests at the same time share one. */
  customersInFlight: Map<string, Promise<string>>;
  /** Pages of Stripe's that this process is opening, so that equal requests at the same time share one. */
  pagesInFlight: Map<string, Promise<Session>>;
  /** Called with the project of each checkout and portal session. */
  warnOfOpenRedirects: WarnOfOpenRedirects;
  warnOfProxy: WarnOfProxy;
  /** Producers of the queues. */
  stripeEvents: JobQueue;
  /** Recorded usage that waits for Postgres. */
  usageEvents: JobQueue;
  maintenance: JobQueue;
  queueGauges: QueueGauges;
  /** What the queue's Redis says of itself; rejects while it is out of reach. */
  inspectQueueRedis: () => Promise<QueueRedisReport>;
  /** All processes' metrics as Prometheus text. */
  renderMetrics: () => Promise<string>;
  /** What `/ready` answers. */
  readiness: Readiness;
  /** True from the signal to stop on: `/ready` says no, connections are closed after their answer. */
  isStopping: () => boolean;
};
