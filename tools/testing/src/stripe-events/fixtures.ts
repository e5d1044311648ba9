import { periodStart } from './event.ts';
import type { StripeShape } from './event.ts';
import { chargeObject, disputeObject, paymentIntentObject, refundObject, sessionObject } from './payment.ts';
import { invoiceObject, scheduleObject, subscriptionObject } from './subscription.ts';
import type { SubscriptionParts } from './subscription.ts';

export const customerObject = (parts: { id?: string } = {}) => ({
  id: parts.id ?? 'cus_1',
  object: 'customer',
  email: 'somebody@example.com',
  created: periodStart,
  livemode: false,
});

export const priceObject = (parts: { id?: string } = {}) => ({
  id: parts.id ?? 'price_sub',
  object: 'price',
  product: 'prod_1',
  unit_amount: 4900,
  currency: 'usd',
  created: periodStart,
  livemode: false,
});

export const productObject = (parts: { id?: string } = {}) => ({
  id: parts.id ?? 'prod_1',
  object: 'product',
  name: 'Pro',
  created: periodStart,
  livemode: false,
});

type Render = (shape: StripeShape) => object;

const own = { user_id: 'ann', project_id: 'shop', price_id: 'our_once', quantity: '1' };

const subscription =
  (parts: SubscriptionParts = {}): Render =>
  (shape) =>
    subscriptionObject(parts, shape);
const invoice =
  (status: string): Render =>
  (shape) =>
    invoiceObject({ status }, shape);

/** One object for every type of event that the service takes in, as Stripe renders it there. */
export const eventFixtures: Record<string, Render> = {
  'checkout.session.completed': () => sessionObject({ metadata: own }),
  'checkout.session.expired': () => sessionObject({ paymentStatus: 'unpaid', paymentIntent: null }),
  'checkout.session.async_payment_succeeded': () => sessionObject({ metadata: own }),
  'checkout.session.async_payment_failed': () => sessionObject({ metadata: own, paymentStatus: 'unpaid' }),
  'customer.created': () => customerObject(),
  'customer.updated': () => customerObject(),
  'customer.deleted': () => customerObject(),
  'customer.subscription.created': subscription({ status: 'incomplete' }),
  'customer.subscription.updated': subscription(),
  'customer.subscription.deleted': subscription({ status: 'canceled', endedAt: periodStart }),
  'customer.subscription.paused': subscription({ status: 'paused' }),
  'customer.subscription.resumed': subscription(),
  'customer.subscription.trial_will_end': subscription({
    status: 'trialing',
    trialEnd: periodStart + 259_200,
  }),
  'customer.subscription.pending_update_applied': subscription(),
  'customer.subscription.pending_update_expired': subscription(),
  'invoice.paid': invoice('paid'),
  'invoice.payment_succeeded': invoice('paid'),
  'invoice.payment_failed': invoice('open'),
  'invoice.payment_action_required': invoice('open'),
  'invoice.voided': invoice('void'),
  'invoice.marked_uncollectible': invoice('uncollectible'),
  'charge.refunded': (shape) => chargeObject({ amountRefunded: 4900 }, shape),
  'charge.succeeded': (shape) => chargeObject({ metadata: own }, shape),
  'charge.captured': (shape) => chargeObject({ metadata: own, amountCaptured: 3900 }, shape),
  'charge.expired': (shape) =>
    chargeObject({ metadata: own, amountCaptured: null, amountRefunded: 4900 }, shape),
  'charge.refund.updated': () => refundObject(),
  'refund.created': () => refundObject({ status: 'pending' }),
  'refund.updated': () => refundObject(),
  'refund.failed': () => refundObject({ status: 'failed' }),
  'charge.dispute.created': () => disputeObject(),
  'charge.dispute.updated': () => disputeObject({ status: 'under_review' }),
  'charge.dispute.closed': () => disputeObject({ status: 'won' }),
  'charge.dispute.funds_withdrawn': () => disputeObject(),
  'charge.dispute.funds_reinstated': () => disputeObject({ status: 'won' }),
  'subscription_schedule.created': () => scheduleObject(),
  'subscription_schedule.updated': () => scheduleObject(),
  'subscription_schedule.released': () => scheduleObject({ status: 'released' }),
  'subscription_schedule.canceled': () => scheduleObject({ status: 'canceled' }),
  'subscription_schedule.completed': () => scheduleObject({ status: 'completed' }),
  'subscription_schedule.aborted': () => scheduleObject({ status: 'canceled' }),
  'payment_intent.succeeded': (shape) => paymentIntentObject({ metadata: own }, shape),
  'payment_intent.payment_failed': (shape) => paymentIntentObject({}, shape),
  'payment_intent.canceled': (shape) => paymentIntentObject({ metadata: own, isCanceled: true }, shape),
  'price.created': () => priceObject(),
  'price.updated': () => priceObject(),
  'price.deleted': () => priceObject(),
  'product.created': () => productObject(),
  'product.updated': () => productObject(),
  'product.deleted': () => productObject(),
};
