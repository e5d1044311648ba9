import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { systemClock } from '@billing/domain';
import {
  connectRedis,
  createLogger,
  createMetrics,
  createStripeClient,
  databaseFields,
  databaseSettings,
  placeOf,
  envVar,
  erasureFields,
  parseEnv,
  readJsonFile,
  redisFields,
  redisSettings,
  stripeFields,
  stripeModeOf,
} from '@billing/platform';
import {
  createDatabase,
  createEntitlementCache,
  createErasureKeys,
  createOutboxCleaner,
} from '@billing/store';
import { createReadBudget, createSharedLookups, createSyncMetrics } from '@billing/sync';
import type { SyncDeps } from '@billing/sync';
import { z } from 'zod';

const schema = z.object({
  ...databaseFields,
  ...redisFields,
  ...stripeFields,
  ...erasureFields,
  STRIPE_READS_PER_SECOND: envVar.int({ min: 1, max: 10_000, default: 20 }),
});

const stackFile = z.object({ database_url: z.string(), redis_url: z.string(), stripe_url: z.string() });

/** Beside the stack's file: what `npm start` keeps to itself. */
const secretsFile = z.object({ erasureKey: z.string().optional() });

type Environment = Record<string, string | undefined>;

/** The given environment; without DATABASE_URL, that of the stack that `npm start` runs. */
export function findEnvironment(env: Environment, stackPath: string): Environment {
  if (env['DATABASE_URL'] || env['DATABASE_URL_FILE']) return env;
  const stack = readJsonFile(stackPath, stackFile);
  if (stack === undefined) return env;
  const secrets = readJsonFile(join(dirname(stackPath), 'secrets.json'), secretsFile);
  const isOffline = !stack.stripe_url.includes('api.stripe.com');
  const offline = {
    STRIPE_API_BASE: stack.stripe_url,
    STRIPE_SECRET_KEY: 'sk_test_offline',
    STRIPE_SECRET_KEY_FILE: undefined,
  };
  return {
    ...env,
    REDIS_URL_FILE: undefined,
    DATABASE_URL: stack.database_url,
    REDIS_URL: stack.redis_url,
    ERASURE_KEY: env['ERASURE_KEY'] ?? secrets?.erasureKey,
    ...(isOffline ? offline : {}),
  };
}

type Connection = {
  sync: SyncDeps;
  /** Host, port and name of the database, for people. */
  databaseAt: string;
  close: () => Promise<void>;
};

/** Builds what the worker's use cases need. Throws one ConfigError that names every bad variable. */
export function connect(env: Environment): Connection {
  const config = parseEnv(schema, env);
  const destination = new PassThrough().resume();
  const logger = createLogger({ service: 'import', level: 'error', format: 'pretty', destination });
  const metrics = createMetrics({ service: 'import' });
  const clock = systemClock;
  const { redisUrl, cacheRedisUrl, queuePrefix, cachePrefix } = redisSettings(config);
  const redis = connectRedis({
    url: cacheRedisUrl,
    role: 'cache',
    logger,
    keyPrefix: cachePrefix,
  });
  const queueRedis = connectRedis({ url: redisUrl, role: 'cache', logger });
  const database = createDatabase({
    url: config.DATABASE_URL,
    poolSize: 4,
    hasPreparedStatements: databaseSettings(config).hasPreparedStatements,
    connectionSeconds: databaseSettings(config).connectionSeconds,
    connectTimeoutMs: 10_000,
    statementTimeoutMs: 60_000,
  });
  const cache = createEntitlementCache({ redis, database, clock, logger, ttlSeconds: 300 });
  const following = cache.follow();
  const sync: SyncDeps = {
    clock,
    logger,
    metrics,
    counters: createSyncMetrics(metrics),
    database,
    cache,
    outboxCleaner: createOutboxCleaner({ database, logger }),
    stripe: createStripeClient({
      secretKey: config.STRIPE_SECRET_KEY,
      apiBase: config.STRIPE_API_BASE,
      timeoutMs: 60_000,
    }),
    mode: stripeModeOf(config.STRIPE_SECRET_KEY),
    budget: createReadBudget({
      redis: queueRedis,
      prefix: queuePrefix,
      perSecond: config.STRIPE_READS_PER_SECOND,
      clock,
    }),
    subscriptionLookups: createSharedLookups(),
    erasureKeys: createErasureKeys(config.ERASURE_KEY ?? []),
    eventRetryMs: 0,
  };
  return {
    sync,
    databaseAt: placeOf(config.DATABASE_URL),
    close: async () => {
      await following.stop();
      redis.disconnect();
      queueRedis.disconnect();
      await sync.outboxCleaner.flush();
      await database.$disconnect();
    },
  };
}
