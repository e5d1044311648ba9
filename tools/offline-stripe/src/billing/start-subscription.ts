import { emit } from '../events/emit.ts';
import { newId } from '../ids.ts';
import { amountOf } from '../objects/catalog.ts';
import { itemObject, subscriptionObject } from '../objects/subscription.ts';
import type { Metadata, PaymentIntent, Price, Subscription } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { addIntervals } from './calendar.ts';
import { redeemCoupon, type Redeemable } from './discounts.ts';
import { attemptInvoice, changeDunning, untilPaid } from './collect.ts';
import { intentOf, linkPayment, markPaid } from './invoice-payments.ts';
import { createInvoiceItem } from './invoice-items.ts';
import { draftInvoice, finalizeInvoice } from './invoices.ts';

export type StartSubscription = {
  customer: string;
  items: { price: Price; quantity: number; metadata?: Metadata }[];
  paymentMethod: string | null;
  trialEnd: number | null;
  missingPaymentMethod: 'cancel' | 'create_invoice' | 'pause';
  metadata: Metadata;
  description: string | null;
  collectionMethod: 'charge_automatically' | 'send_invoice';
  daysUntilDue?: number | null;
  discounts?: Redeemable[];
  checkoutSession?: string;
  hasAutomaticTax?: boolean;
  /** One-time prices that the first invoice bills too. */
  extras?: { price: Price; quantity: number }[];
  /**
   * `paid`: the checkout's PaymentIntent has paid already (null: nothing was due). `processing`: its money is on its
   * way. `attempt`: try the card now. `declined`: try it and fail. `wait`: stay `incomplete` until someone pays.
   */
  payment:
    { kind: 'paid' | 'processing'; intent: PaymentIntent | null } | { kind: 'attempt' | 'declined' | 'wait' };
};

function firstStatus(fields: StartSubscription): Subscription['status'] {
  if (fields.trialEnd !== null) return 'trialing';
  const amount = [...fields.items, ...(fields.extras ?? [])].reduce(
    (sum, item) => sum + amountOf(item.price, item.quantity),
    0,
  );
  return !('intent' in fields.payment) && amount > 0 && fields.collectionMethod === 'charge_automatically'
    ? 'incomplete'
    : 'active';
}

function build(world: World, fields: StartSubscription, invoiceId: string): Subscription {
  const now = world.clock.now();
  const id = newId('sub');
  const { trialEnd } = fields;
  const items = fields.items.map((item) =>
    itemObject({
      ...item,
      subscription: id,
      created: now,
      period: { start: now, end: trialEnd ?? addIntervals(now, item.price.recurring, 1) },
    }),
  );
  return subscriptionObject({
    ...fields,
    id,
    created: now,
    currency: items[0]?.price.currency ?? 'usd',
    items,
    status: firstStatus(fields),
    trial: trialEnd === null ? null : { start: now, end: trialEnd },
    latestInvoice: invoiceId,
  });
}

function addExtras(world: World, subscription: Subscription, extras: StartSubscription['extras']): void {
  const now = world.clock.now();
  for (const { price, quantity } of extras ?? []) {
    createInvoiceItem(world, {
      customer: subscription.customer,
      currency: subscription.currency,
      amount: amountOf(price, quantity),
      quantity,
      description: world.tables.products.get(price.product)?.name ?? null,
      metadata: {},
      period: { start: now, end: now },
      price,
      unitAmount: price.unit_amount_decimal ?? '0',
      subscription: subscription.id,
      invoice: null,
    });
  }
}

/** The discounts of a new subscription's coupons and codes. */
function discountsFor(world: World, subscription: Subscription, fields: StartSubscription): Subscription {
  const { discounts: wanted = [], checkoutSession } = fields;
  if (wanted.length === 0) return subscription;
  const by = {
    customer: subscription.customer,
    subscription: subscription.id,
    ...(checkoutSession === undefined ? {} : { checkoutSession }),
  };
  const discounts = wanted.map((one) => redeemCoupon(world, one, by).id);
  return world.tables.subscriptions.update(subscription, { discounts });
}

/** A new subscription with its first invoice; the events come in Stripe's order. */
export function startSubscription(world: World, fields: StartSubscription): Subscription {
  const invoiceId = newId('in');
  const built = world.tables.subscriptions.insert(build(world, fields, invoiceId));
  const subscription = discountsFor(world, built, fields);
  const { payment } = fields;
  changeDunning(world, subscription.id, { failures_left: payment.kind === 'declined' ? untilPaid : 0 });
  emit(world, 'customer.subscription.created', subscription);
  addExtras(world, subscription, fields.extras);
  const now = world.clock.now();
  const draft = draftInvoice(world, {
    id: invoiceId,
    subscription,
    items: subscription.items.data,
    reason: 'subscription_create',
    period: { start: now, end: now },
  });
  const open = finalizeInvoice(world, draft);
  if (open.collection_method === 'send_invoice' && open.amount_due > 0) emit(world, 'invoice.sent', open);
  if ('intent' in payment && payment.intent !== null) linkPayment(world, open, payment.intent);
  if (payment.kind === 'paid' || open.amount_due === 0) markPaid(world, open);
  else if (payment.kind === 'attempt' || payment.kind === 'declined') {
    if (fields.collectionMethod === 'charge_automatically') attemptInvoice(world, open);
  } else if (payment.kind === 'wait') intentOf(world, open, null);
  return world.tables.subscriptions.get(subscription.id) ?? subscription;
}
