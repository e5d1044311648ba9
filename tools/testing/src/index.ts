export { runServices, type RunServices } from './jest/run-services.ts';
export { appNodeArguments } from './services/app-node-arguments.ts';
export { freePort } from './services/free-port.ts';
export {
  lastLogLines,
  startGuarded,
  type GuardedProcess,
  type GuardedProcessOptions,
} from './services/guarded-process.ts';
export {
  ensureDatabase,
  startPostgres,
  type PostgresOptions,
  type PostgresServer,
} from './services/postgres.ts';
export { startRedis, type RedisServer, type RedisServerOptions } from './services/redis.ts';
export { createTestDatabase, type TestDatabase } from './test-database.ts';
export { createTestProxy, type ProxyMode, type TestProxy } from './test-proxy.ts';
export { startTestRedis, type TestRedis, type TestRedisOptions } from './test-redis.ts';
export { waitFor, type WaitOptions } from './wait-for.ts';
export { stripeEvent, type EventParts } from './stripe-events/event.ts';
export { customerObject, priceObject, productObject, scheduleObject } from './stripe-events/catalog.ts';
export { eventFixtures } from './stripe-events/fixtures.ts';
export { invoiceObject, type InvoiceParts } from './stripe-events/invoice.ts';
export {
  periodEnd,
  periodStart,
  sessionObject,
  subscriptionObject,
  type ItemParts,
  type SessionParts,
  type SubscriptionParts,
} from './stripe-events/objects.ts';
export {
  chargeObject,
  disputeObject,
  paymentIntentObject,
  refundObject,
  type PaymentParts,
} from './stripe-events/payment.ts';
export { apiVersionOf, isOldShape, stripeShapes, type StripeShape } from './stripe-events/shape.ts';
export { buildApp, spawnApp, type AppProcess } from './app-process.ts';
