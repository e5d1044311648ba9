export { createOfflineStripe } from './offline-stripe.ts';
export type { ListeningStripe, OfflineStripe, OfflineStripeOptions } from './offline-stripe.ts';
export { signatureHeader } from './events/deliver.ts';
export type { Logger } from './world.ts';
export { triggers as stripeCliTriggers } from './stripe-cli-triggers.ts';
