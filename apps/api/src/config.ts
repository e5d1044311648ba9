import { isIP } from 'node:net';
import { fileURLToPath } from 'node:url';
import { redirectOrigin } from '@billing/domain';
import {
  databaseFields,
  databaseSettings,
  defaultApiPort,
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
  webhookSettings,
} from '@billing/platform';
import type { LogLevel, NamedSecret, Range, SettingWarning, WebhookSettings } from '@billing/platform';
import type { UsageSettings } from '@billing/store';
import { z } from 'zod';

const proxyNames = new Set(['loopback', 'linklocal', 'uniquelocal']);

function isProxyAddress(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  const isInRange =
    bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
  return version !== 0 && rest.length === 0 && isInRange;
}

/** The proxies whose `X-Forwarded-For` is trusted: how many stand in front, or their addresses. */
const trustedProxies = z.string().transform((text, context): number | string[] => {
  if (/^\d$/.test(text.trim())) return Number(text);
  const proxies = text.split(',').map((part) => part.trim());
  if (proxies.every((proxy) => proxyNames.has(proxy) || isProxyAddress(proxy))) return proxies;
  context.addIssue({
    code: 'custom',
    message:
      'expected the number of proxies (0 to 9), or their addresses, comma-separated (192.0.2.1, 10.0.0.0/8, loopback)',
  });
  return z.NEVER;
});

/** Origins of the pages that may call with a project key: the same kind that a checkout may lead back to. */
const origins = z.string().transform((text, context): string[] => {
  const parsed = z.array(redirectOrigin).safeParse(text.split(',').map((part) => part.trim()));
  if (parsed.success) return [...new Set(parsed.data)];
  context.addIssue({
    code: 'custom',
    message: 'expected origins such as https://app.example.com (http for localhost only), comma-separated',
  });
  return z.NEVER;
});

/** This process's environment. */
export const environmentSchema = z.object({
  ...loggingFields,
  ...databaseFields,
  ...replicaFields,
  ...redisFields,
  ...stripeFields,
  ...erasureFields,
  ...webhookFields,
  PORT: envVar.port(defaultApiPort),
  OPERATIONS_PORT: envVar.port().optional(),
  STRIPE_WEBHOOK_SECRET: envVar.secretList(),
  STRIPE_READS_PER_SECOND: envVar.int({ min: 1, max: 10_000, default: 20 }),
  ADMIN_API_KEY: envVar.namedSecrets(),
  ENTITLEMENT_CACHE_TTL_SECONDS: envVar.int({ min: 1, max: 86_400, default: 300 }),
  CACHE_WARMUP_MISSES_PER_SECOND: envVar.int({ min: 1, max: 1_000_000, default: 200 }),
  ...usageFields,
  USAGE_QUEUE_WHEN_DOWN: envVar.oneOf(['true', 'false'], 'true'),
  ACCESS_LOG_SAMPLE: envVar.number({ min: 0, max: 1, default: 0 }),
  RATE_LIMIT_PER_SECOND: envVar.int({ min: 0, max: 1_000_000, default: 0 }),
  TRUST_PROXY: trustedProxies.optional(),
  CORS_ORIGINS: origins.optional(),
  CONSOLE: envVar.oneOf(['true', 'false'], 'true'),
  PUBLIC_URL: envVar.optionalUrl(['http:', 'https:']),
  API_PROCESSES: envVar.int({ min: 1, max: 64, default: 1 }),
  SHUTDOWN_DELAY_SECONDS: envVar.number({ min: 0, max: 20 }).optional(),
});

/** As long as a load balancer that probes every 2 s needs to see two refusals. */
const productionDelaySeconds = 5;

/** The operators' pages. */
export type ConsoleConfig = {
  isServed: boolean;
  /** Where the pages were built to. */
  directory: string;
  /** The origin at which browsers open this service; undefined: whatever `Host` says. */
  publicOrigin: string | undefined;
};

/** Beside this app, whether it runs from source or built. */
const consoleDirectory = fileURLToPath(new URL('../../console/dist', import.meta.url));

export type ApiConfig = {
  environment: 'development' | 'test' | 'production';
  logLevel: LogLevel;
  /** Written to the log at the start. */
  settingWarnings: readonly SettingWarning[];
  port: number;
  /** Where metrics, the description and the queue screen are then served alone; undefined: at `port`. */
  operationsPort: number | undefined;
  /** Processes on one port. */
  processes: number;
  /** From SIGTERM until the server stops listening: requests are answered, and `/ready` is 503. */
  shutdownDelayMs: number;
  tracesEndpoint: string | undefined;
  databaseUrl: string;
  /** Connections to Postgres of this process. */
  databasePoolSize: number;
  hasPreparedStatements: boolean;
  /** After which a connection to Postgres is replaced: drawn from this range for each. */
  connectionSeconds: Range;
  replicaUrls: readonly string[];
  replicaMaxLagMs: number;
  redisUrl: string;
  cacheRedisUrl: string;
  cacheTtlSeconds: number;
  /** Statements that read entitlements while the cache is away, and for a minute after another server took over. */
  warmupMissesPerSecond: number;
  queuePrefix: string;
  cachePrefix: string;
  stripeSecretKey: string;
  stripeApiBase: string | undefined;
  /** Of all processes together. */
  stripeReadsPerSecond: number;
  /** In base64; empty: nobody can be erased. */
  erasureKeys: readonly string[];
  /** What products are told of changes by. */
  webhooks: WebhookSettings;
  webhookSecrets: readonly string[];
  adminKeys: readonly NamedSecret[];
  metricsToken: string | undefined;
  /** As Express's setting `trust proxy` takes it. */
  trustedProxies: number | string[] | false;
  /** Origins whose pages may call with a project key; empty: no CORS. */
  corsOrigins: readonly string[];
  console: ConsoleConfig;
  /** The share of entitlement checks in the access log, 0 to 1; all other requests are in it. */
  accessLogSample: number;
  /** Requests of one project key; 0: no limit. */
  rateLimitPerSecond: number;
  /** Wrong keys a minute of one address in one area; 0: no limit. */
  authFailuresPerMinute: number;
  pastDueGraceDays: number;
  renewalAllowanceMs: number;
  usage: UsageSettings;
  /** Recorded usage goes to a queue while Postgres is away. */
  queuesUsageWhenDown: boolean;
};

/** The API's environment; throws one ConfigError that names every bad variable. */
export function readConfig(env: Record<string, string | undefined>): ApiConfig {
  const parsed = parseEnv(environmentSchema, env);
  const database = databaseSettings(parsed);
  const usage = usageSettings(parsed);
  return {
    environment: parsed.NODE_ENV,
    logLevel: parsed.LOG_LEVEL,
    settingWarnings: findSettingWarnings(environmentSchema, env),
    port: parsed.PORT,
    operationsPort: parsed.OPERATIONS_PORT,
    processes: parsed.API_PROCESSES,
    shutdownDelayMs:
      1000 *
      (parsed.SHUTDOWN_DELAY_SECONDS ?? (parsed.NODE_ENV === 'production' ? productionDelaySeconds : 0)),
    tracesEndpoint: parsed.OTEL_EXPORTER_OTLP_ENDPOINT,
    databaseUrl: parsed.DATABASE_URL,
    databasePoolSize: database.poolSize,
    hasPreparedStatements: database.hasPreparedStatements,
    connectionSeconds: database.connectionSeconds,
    replicaUrls: parsed.DATABASE_REPLICA_URLS ?? [],
    replicaMaxLagMs: parsed.REPLICA_MAX_LAG_SECONDS * 1000,
    ...redisSettings(parsed),
    cacheTtlSeconds: parsed.ENTITLEMENT_CACHE_TTL_SECONDS,
    warmupMissesPerSecond: parsed.CACHE_WARMUP_MISSES_PER_SECOND,
    stripeSecretKey: parsed.STRIPE_SECRET_KEY,
    stripeApiBase: parsed.STRIPE_API_BASE,
    stripeReadsPerSecond: parsed.STRIPE_READS_PER_SECOND,
    erasureKeys: parsed.ERASURE_KEY ?? [],
    webhooks: webhookSettings(parsed),
    webhookSecrets: parsed.STRIPE_WEBHOOK_SECRET,
    adminKeys: parsed.ADMIN_API_KEY,
    metricsToken: parsed.METRICS_TOKEN,
    trustedProxies: parsed.TRUST_PROXY ?? false,
    corsOrigins: parsed.CORS_ORIGINS ?? [],
    console: {
      isServed: parsed.CONSOLE === 'true',
      directory: consoleDirectory,
      publicOrigin: parsed.PUBLIC_URL === undefined ? undefined : new URL(parsed.PUBLIC_URL).origin,
    },
    accessLogSample: parsed.ACCESS_LOG_SAMPLE,
    rateLimitPerSecond: parsed.RATE_LIMIT_PER_SECOND,
    authFailuresPerMinute: parsed.AUTH_FAILURES_PER_MINUTE,
    pastDueGraceDays: parsed.PAST_DUE_GRACE_DAYS,
    renewalAllowanceMs: usage.renewalAllowanceMs,
    usage,
    queuesUsageWhenDown: parsed.USAGE_QUEUE_WHEN_DOWN === 'true',
  };
}
