export { createCircuit, type Circuit, type CircuitOptions } from './circuit.ts';
export { readJsonFile, writeJsonFile } from './json-file.ts';
export { startLoop, type Loop } from './loop.ts';
export { withDeadline } from './deadline.ts';
export { ConfigError, exitOnConfigError } from './env/config-error.ts';
export { envVar, type EnvField, type NamedSecret } from './env/fields.ts';
export { parseEnv } from './env/parse-env.ts';
export { databaseFields, loggingFields, redisFields, stripeFields } from './env/shared-fields.ts';
export { logContext, withLogContext } from './logging/log-context.ts';
export { createLogger, type Logger, type LoggerOptions, type LogLevel } from './logging/logger.ts';
export { createMetrics, type Metrics, type MetricsOptions } from './metrics.ts';
export {
  createQueue,
  type AddDeadline,
  type JobQueue,
  type NewJob,
  type QueueOptions,
} from './queue/create-queue.ts';
export { createQueueGauges, type QueueGauges, type QueueGaugesOptions } from './queue/queue-gauges.ts';
export { QueueUnavailableError } from './queue/queue-unavailable.ts';
export { connectRedis, type RedisConnectionOptions, type RedisRole } from './redis/connect-redis.ts';
export {
  createRateLimiter,
  type RateLimiter,
  type RateLimiterOptions,
  type RateDecision,
} from './redis/create-rate-limiter.ts';
export { inspectQueueRedis, type QueueRedisReport } from './redis/inspect-queue-redis.ts';
export { watchQueueRedis, type QueueRedisWatch } from './redis/watch-queue-redis.ts';
export { runUntilSignal, type ShutdownOptions } from './shutdown.ts';
export {
  createStripeClient,
  stripeModeOf,
  type StripeClientOptions,
  type StripeOutcome,
} from './stripe/create-stripe-client.ts';
export { startTracing, type Tracing, type TracingOptions } from './tracing/start-tracing.ts';
export { withSpan } from './tracing/with-span.ts';
export { diffSchema, type DiffOptions } from './migrate/diff-schema.ts';
export { migrate, type MigrateOptions } from './migrate/migrate.ts';
export { MigrationError } from './migrate/migration-error.ts';
export {
  createOperationsServer,
  type OperationsServer,
  type OperationsServerOptions,
  type ReadinessChecks,
} from './operations-server.ts';
export { refuseMetrics } from './metrics-token.ts';
