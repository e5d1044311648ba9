// Environment and logs
export {
  databaseFields,
  envVar,
  erasureFields,
  loggingFields,
  redisFields,
  replicaFields,
  stripeFields,
  type EnvField,
  type NamedSecret,
} from './env/fields.ts';
export {
  webhookFields,
  webhookRetryFields,
  webhookRetrySettings,
  webhookSettings,
  type WebhookRetrySettings,
} from './env/webhook-fields.ts';
export { usageFields, usageSettings } from './env/usage-fields.ts';
export {
  ConfigError,
  exitOnConfigError,
  findSettingWarnings,
  parseEnv,
  type SettingWarning,
} from './env/parse-env.ts';
export { hostUrls, placeOf } from './env/host-urls.ts';
export { redisSettings } from './env/redis-settings.ts';
export { defaultApiPort } from './env/related-variables.ts';
export { publishedSecrets } from './env/published-secrets.ts';
export { databaseSettings, type Range } from './env/url-parameters.ts';
export { limitLines } from './logging/limit-lines.ts';
export { createLogger, withLogContext, type Logger, type LogLevel } from './logging/logger.ts';

// A process: deadlines, loops, health, shutdown
export { createCircuit, type Circuit } from './circuit.ts';
export { withDeadline } from './deadline.ts';
export { readJsonFile, writeJsonFile } from './json-file.ts';
export { startLoop, type Loop } from './loop.ts';
export { closeAfterAnswer, isBodyOnItsWay } from './close-after-answer.ts';
export { createOperationsServer, type OperationsServer } from './operations-server.ts';
export { createReadiness, type Finding, type Readiness } from './readiness.ts';
export { assignRequestId, requestIdFor, requestIdOf } from './request-id.ts';
export { runUntilSignal } from './shutdown.ts';

// Logins
export { addressOf, plainAddress, shortAddressOf } from './auth/addresses.ts';
export { createAuthFailures, type AuthFailures, type Login } from './auth/auth-failures.ts';
export { refuseMetrics } from './auth/refuse-metrics.ts';

// Metrics and traces
export { authAreas, createMetrics, type AuthArea, type AuthFailureReason, type Metrics } from './metrics.ts';
export { renderMetrics, type RenderedMetrics } from './open-metrics.ts';
export { createRequestMeter, unmatchedRoute, type MeteredRoute, type RequestMeter } from './request-meter.ts';
export type { Tracing } from './tracing/otlp-tracing.ts';
export { startTracing, withSpan } from './tracing/start-tracing.ts';
export { activeTraceId, traceFields, traceIdOf } from './tracing/trace-id.ts';

// Postgres and Redis
export { postgresConnections, type PostgresConnection } from './postgres-connection.ts';
export { connectRedis, connectServer, type RedisClient, type RedisRole } from './redis/connect-redis.ts';
export { createNodeFinder, slotOf, type NodeFinder } from './redis/cluster-nodes.ts';
export { readServerState, type ServerState } from './redis/server-state.ts';
export {
  createLocalAllowance,
  createRateLimiter,
  type LocalAllowance,
  type RateDecision,
  type RateLimiter,
} from './redis/create-rate-limiter.ts';

// Queue
export type { NewJob } from './queue/add-job.ts';
export { createQueueGauges, type QueueGauges } from './queue/create-queue-gauges.ts';
export { createQueue, jobStates, QueueUnavailableError, type JobQueue } from './queue/create-queue.ts';
export { readQueueState } from './queue/read-queue-state.ts';
export { checkQueueRedis, saysClusterNode } from './queue/check-queue-redis.ts';
export { inspectQueueRedis, watchQueueRedis, type QueueRedisReport } from './queue/watch-queue-redis.ts';

export { warmUp, type WarmUpLimits } from './warm-up.ts';

// Stripe
export { createStripeClient, stripeModeOf, type StripeClient } from './create-stripe-client.ts';
export type { StripeOutcome } from './stripe-http-client.ts';
export { createStripePermissions, type StripePermissions } from './stripe-permissions.ts';

// Webhooks to products
export type { Network } from './webhooks/allowed-address.ts';
export { checkWebhookUrl, UrlNotAllowed } from './webhooks/check-webhook-url.ts';
export {
  createWebhookClient,
  type WebhookAttempt,
  type WebhookClient,
  type WebhookSettings,
} from './webhooks/create-webhook-client.ts';
export { webhookErrorWords } from './webhooks/error-word.ts';
export {
  createWebhookSecrets,
  type SecretGenerations,
  type WebhookSecrets,
} from './webhooks/webhook-secrets.ts';

// Migrations
export { diffSchema } from './migrate/diff-schema.ts';
export { migrate } from './migrate/migrate.ts';
export { findMigrationProblem } from './migrate/fit-migrations.ts';
export { readMigrationNames } from './migrate/read-migrations.ts';
export { MigrationError } from './migrate/migration-error.ts';
