// Servers and processes.
export { appNodeArguments, buildApps, createAppProcess, spawnApp } from './processes/app-process.ts';
export type { AppProcess, AppProcessOptions } from './processes/app-process.ts';
export { commandLineOf, endLeftovers } from './processes/leftovers.ts';
export { freePort, isPortFree } from './processes/ports.ts';
export { ensureDatabase, startPostgres } from './services/postgres.ts';
export type { PostgresServer } from './services/postgres.ts';
export { startRedis } from './services/redis.ts';
export type { RedisServer } from './services/redis.ts';

// What a test file has for itself.
export { createTestDatabase, runServices } from './run-services.ts';
export type { RunServices, TestDatabase } from './run-services.ts';
export { createTestProxy } from './services/test-proxy.ts';
export type { ProxyMode, TestProxy } from './services/test-proxy.ts';
export { startTestRedis } from './services/test-redis.ts';
export type { TestRedis, TestRedisOptions } from './services/test-redis.ts';
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
