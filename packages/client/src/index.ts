export { BillingError, isBillingError, isUnavailable } from './billing-error.ts';
export type { BillingErrorCode, BillingErrorFields, ClientErrorCode } from './billing-error.ts';
export { createBillingClient } from './create-billing-client.ts';
export type {
  BillingClient,
  CanOptions,
  CheckoutOptions,
  EntitlementsOptions,
} from './create-billing-client.ts';
export type { InvoicesOptions } from './invoice-calls.ts';
export type {
  BillingClientOptions,
  CacheOptions,
  Fetch,
  FetchInit,
  FetchResponse,
  UnavailableAnswer,
} from './options.ts';
export type { ChangeOptions, ListOptions, SubscriptionCalls } from './subscription-calls.ts';
export type * from './subscriptions-wire.ts';
export type { CheckOptions, UsageCalls } from './usage-calls.ts';
export type { RecordedUsage } from './to-recorded-event.ts';
export type { RecorderOptions, UsageRecorder } from './usage-recorder.ts';
export type * from './usage-wire.ts';
export { verifyWebhook } from './verify-webhook.ts';
export type { WebhookHeaders } from './verify-webhook.ts';
export type * from './webhook-wire.ts';
export type * from './wire.ts';
