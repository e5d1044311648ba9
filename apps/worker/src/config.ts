import {
  databaseFields,
  databaseSettings,
  envVar,
  erasureFields,
  findSettingWarnings,
  loggingFields,
  parseEnv,
  redisFields,
  redisSettings,
  replicaFields,
  stripeFields,
  usageFields,
  usageSettings,
  webhookFields,
  webhookRetryFields,
  webhookRetrySettings,
  webhookSettings,
} from '@billing/platform';
import type {
  LogLevel,
  Range,
  SettingWarning,
  WebhookRetrySettings,
  WebhookSettings,
} from '@billing/platform';
import type { UsageSettings } from '@billing/store';
import { getNextMillis } from 'bullmq';
import { z } from 'zod';

function isCronPattern(pattern: string): boolean {
  try {
    return getNextMillis(0, { pattern, tz: 'UTC' }) !== undefined;
  } catch {
    return false;
  }
}

const schema = z.object({
  ...databaseFields,
  ...replicaFields,
  ...redisFields,
  ...stripeFields,
  ...erasureFields,
  ...webhookFields,
  ...webhookRetryFields,
  ...loggingFields,
  ...usageFields,
  WORKER_PORT: envVar.port(8001),
  WORKER_CONCURRENCY: envVar.int({ min: 1, max: 256, default: 16 }),
  ENTITLEMENT_CACHE_TTL_SECONDS: envVar.int({ min: 1, max: 86_400, default: 300 }),
  STRIPE_READS_PER_SECOND: envVar.int({ min: 1, max: 10_000, default: 20 }),
  STRIPE_METER_DELAY_SECONDS: envVar.int({ min: 0, max: 3_600, default: 300 }),
  STRIPE_METER_EVENTS_PER_SECOND: envVar.int({ min: 1, max: 1_000, default: 20 }),
  EVENT_SWEEP_SECONDS: envVar.int({ min: 1, max: 86_400, default: 300 }),
  RECONCILE_CRON: envVar.text('0 2 * * *').refine(isCronPattern, 'expected a cron pattern such as 0 2 * * *'),
  // Stripe lists events for 30 days: the sweep would bring back a row that was deleted earlier.
  EVENT_RETENTION_DAYS: envVar.int({ min: 31, max: 36_500, default: 400 }),
  EVENT_RETRY_HOURS: envVar.number({ min: 0, max: 720, default: 72 }),
  WEBHOOK_RETENTION_DAYS: envVar.number({ min: 0, max: 36_500, default: 30 }),
  WEBHOOK_FANOUT_PER_SECOND: envVar.int({ min: 1, max: 10_000, default: 50 }),
  WEBHOOK_BOUNDARIES_PER_SECOND: envVar.int({ min: 1, max: 10_000, default: 300 }),
});

export type WorkerConfig = {
  environment: string;
  logLevel: LogLevel;
  /** Written to the log at the start. */
  settingWarnings: readonly SettingWarning[];
  port: number;
  metricsToken: string | undefined;
  authFailuresPerMinute: number;
  tracesEndpoint: string | undefined;
  databaseUrl: string;
  databasePoolSize: number;
  hasPreparedStatements: boolean;
  /** After which a connection to Postgres is replaced: drawn from this range for each. */
  connectionSeconds: Range;
  replicaUrls: readonly string[];
  replicaMaxLagMs: number;
  redisUrl: string;
  cacheRedisUrl: string;
  queuePrefix: string;
  cachePrefix: string;
  stripeSecretKey: string;
  stripeApiBase: string | undefined;
  /** In base64; empty: nobody can be erased. */
  erasureKeys: readonly string[];
  /** What products are told of changes by. */
  webhooks: WebhookSettings & WebhookRetrySettings;
  concurrency: number;
  cacheTtlSeconds: number;
  stripeReadsPerSecond: number;
  /** How long after an hour's end its usage is reported to meters of Stripe. */
  meterDelaySeconds: number;
  meterEventsPerSecond: number;
  eventSweepSeconds: number;
  reconcileCron: string;
  eventRetentionDays: number;
  eventRetryHours: number;
  webhookRetentionDays: number;
  usage: UsageSettings;
  /** Users a second, of the installation, of whom products are told because of catalog, policy, import or backfill. */
  webhookFanOutPerSecond: number;
  /** The same because of time. */
  webhookBoundariesPerSecond: number;
};

/** The worker's environment. Throws one ConfigError that names every bad variable. */
export function readConfig(env: Record<string, string | undefined>): WorkerConfig {
  const parsed = parseEnv(schema, env);
  const database = databaseSettings(parsed);
  return {
    environment: parsed.NODE_ENV,
    logLevel: parsed.LOG_LEVEL,
    settingWarnings: findSettingWarnings(schema, env),
    port: parsed.WORKER_PORT,
    metricsToken: parsed.METRICS_TOKEN,
    authFailuresPerMinute: parsed.AUTH_FAILURES_PER_MINUTE,
    tracesEndpoint: parsed.OTEL_EXPORTER_OTLP_ENDPOINT,
    databaseUrl: parsed.DATABASE_URL,
    databasePoolSize: database.poolSize,
    hasPreparedStatements: database.hasPreparedStatements,
    connectionSeconds: database.connectionSeconds,
    replicaUrls: parsed.DATABASE_REPLICA_URLS ?? [],
    replicaMaxLagMs: parsed.REPLICA_MAX_LAG_SECONDS * 1000,
    ...redisSettings(parsed),
    stripeSecretKey: parsed.STRIPE_SECRET_KEY,
    stripeApiBase: parsed.STRIPE_API_BASE,
    erasureKeys: parsed.ERASURE_KEY ?? [],
    webhooks: { ...webhookSettings(parsed), ...webhookRetrySettings(parsed) },
    concurrency: parsed.WORKER_CONCURRENCY,
    cacheTtlSeconds: parsed.ENTITLEMENT_CACHE_TTL_SECONDS,
    stripeReadsPerSecond: parsed.STRIPE_READS_PER_SECOND,
    meterDelaySeconds: parsed.STRIPE_METER_DELAY_SECONDS,
    meterEventsPerSecond: parsed.STRIPE_METER_EVENTS_PER_SECOND,
    eventSweepSeconds: parsed.EVENT_SWEEP_SECONDS,
    reconcileCron: parsed.RECONCILE_CRON,
    eventRetentionDays: parsed.EVENT_RETENTION_DAYS,
    eventRetryHours: parsed.EVENT_RETRY_HOURS,
    webhookRetentionDays: parsed.WEBHOOK_RETENTION_DAYS,
    usage: usageSettings(parsed),
    webhookFanOutPerSecond: parsed.WEBHOOK_FANOUT_PER_SECOND,
    webhookBoundariesPerSecond: parsed.WEBHOOK_BOUNDARIES_PER_SECOND,
  };
}
