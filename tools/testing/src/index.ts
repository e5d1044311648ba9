// Servers and processes.
export {
  appNodeArguments,
  createAppProcess,
  spawnApp,
  workerNodeArguments,
} from './processes/app-process.ts';
export type { AppProcess, AppProcessOptions } from './processes/app-process.ts';
export { buildApps } from './processes/build-apps.ts';
export { commandLineOf, endLeftovers } from './processes/leftovers.ts';
export { freePort, isPortFree, keepPort } from './processes/ports.ts';
export { ensureDatabase, oddSettings, startPostgres } from './services/postgres.ts';
export { startPgBouncer, type PgBouncer } from './services/pgbouncer.ts';
export { unprivilegedPrefix } from './services/postgres-data.ts';
export type { PostgresServer } from './services/postgres.ts';
export { startRedis } from './services/redis.ts';
export type { RedisServer } from './services/redis.ts';

export { copyCheckout, freePorts, isAlive } from './checkout.ts';
export type { Checkout, StackFile } from './checkout.ts';

// Pages of docs/ whose blocks are run.
export { readBlocks, runBlocks, saveFiles, setting } from './executed-page.ts';
export type { Block, Printed } from './executed-page.ts';

// What a test file has for itself.
export { createTestDatabase, runServices } from './run-services.ts';
export type { RunServices, TestDatabase } from './run-services.ts';
export { startTestPooler } from './services/test-pooler.ts';
export type { TestPooler, TestPoolerOptions } from './services/test-pooler.ts';
export { createTestProxy } from './services/test-proxy.ts';
export type { ProxyMode, TestProxy } from './services/test-proxy.ts';
export { startTestRedis } from './services/test-redis.ts';
export { startTestSentinels, type TestSentinels } from './services/test-sentinels.ts';
export { startTestRedisCluster, type TestRedisCluster } from './services/test-redis-cluster.ts';
export type { TestRedis, TestRedisOptions } from './services/test-redis.ts';
export { metricComplaints } from './metric-complaints.ts';
export { waitFor } from './wait-for.ts';
export type { WaitOptions } from './wait-for.ts';

// Stripe's events and objects, as webhooks render them.
export { apiVersionOf, isOldShape, periodEnd, periodStart, stripeEvent } from './stripe-events/event.ts';
export { stripeShapes } from './stripe-events/event.ts';
export type { EventParts, StripeShape } from './stripe-events/event.ts';
export { customerObject, eventFixtures, priceObject, productObject } from './stripe-events/fixtures.ts';
export { chargeObject, disputeObject, paymentIntentObject } from './stripe-events/payment.ts';
export { refundObject, sessionObject } from './stripe-events/payment.ts';
export type { PaymentParts, SessionParts } from './stripe-events/payment.ts';
export { invoiceObject, scheduleObject, subscriptionObject } from './stripe-events/subscription.ts';
export type { InvoiceParts, ItemParts, SubscriptionParts } from './stripe-events/subscription.ts';
export { nonsense, startNonsenseFront, type NonsenseFront } from './services/nonsense-front.ts';
