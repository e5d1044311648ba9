import { z } from 'zod';

import { daySeconds } from '../billing/calendar.ts';
import { applyItemChanges, isBilledNow, updateSubscription } from '../billing/change-items.ts';
import { redeemCoupon, usableCoupon } from '../billing/discounts.ts';
import { billLast } from '../billing/last-bill.ts';
import { isDeclined, methodOfCustomer } from '../billing/payment-methods.ts';
import { endTrial, resumePaused } from '../billing/renew.ts';
import { startSubscription } from '../billing/start-subscription.ts';
import { endPatch, endSubscription, isEnded } from '../billing/subscription-changes.ts';
import { cardDeclined, invalid, noSuch } from '../errors.ts';
import { defineRoute, readRoutes } from '../http/define-route.ts';
import { body, listBody, mergeMetadata, text } from '../http/params.ts';
import type { Patch } from '../state/tables.ts';
import type { Coupon, Customer, Price, Subscription } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { lastBillParams } from './end-params.ts';
import { requireActive } from './prices.ts';
import {
  cancellationDetails,
  createParams,
  itemChange,
  prorationOf,
  updateParams,
  type CreateSubscription,
  type UpdateSubscription,
} from './subscription-params.ts';

type Method = { customer: Customer; given: string | undefined };

/** The method that is named, or the customer's. */
function methodFor(world: World, { customer, given }: Method): string | null {
  if (given === undefined) return customer.invoice_settings.default_payment_method ?? null;
  return methodOfCustomer(world, { customer: customer.id, id: given, param: 'default_payment_method' });
}

/** Stripe refuses a customer without a payment method; here one gets a card. */
function newCard(world: World, customer: Customer): string {
  return methodOfCustomer(world, {
    customer: customer.id,
    id: 'pm_card_visa',
    param: 'default_payment_method',
  });
}

function requirePrice(world: World, wanted: { id: string; type: Price['type'] }, param: string): Price {
  const price = world.tables.prices.require(wanted.id, param);
  if (price.type !== wanted.type) {
    throw invalid(
      `The price specified is set to \`type=${price.type}\` but this field only accepts prices with \`type=${wanted.type}\`.`,
      param,
    );
  }
  requireActive(price, param);
  return price;
}

function trialEndOf(world: World, params: CreateSubscription): number | null {
  if (params.trial_end === 'now') return null;
  const days = params.trial_period_days;
  return params.trial_end ?? (days === undefined ? null : world.clock.now() + days * daySeconds);
}

function couponsOf(world: World, discounts: CreateSubscription['discounts']): Coupon[] {
  return (discounts ?? []).map(({ coupon }, index) =>
    usableCoupon(world, coupon, `discounts[${index}][coupon]`),
  );
}

function checkTerms(params: CreateSubscription | UpdateSubscription, known: string): void {
  const method = params.collection_method ?? known;
  if (params.days_until_due !== undefined && method !== 'send_invoice') {
    throw invalid('days_until_due belongs to the collection method send_invoice.', 'days_until_due');
  }
}

function create(world: World, params: CreateSubscription): Subscription {
  const customer = world.tables.customers.require(params.customer, 'customer');
  const collectionMethod = params.collection_method ?? 'charge_automatically';
  checkTerms(params, 'charge_automatically');
  const trialEnd = trialEndOf(world, params);
  const items = params.items.map(({ price, quantity, metadata }, index) => ({
    price: requirePrice(world, { id: price, type: 'recurring' }, `items[${index}][price]`),
    quantity: quantity ?? 1,
    metadata: mergeMetadata({}, metadata),
  }));
  const extras = (params.add_invoice_items ?? []).map(({ price, quantity }, index) => ({
    price: requirePrice(world, { id: price, type: 'one_time' }, `add_invoice_items[${index}][price]`),
    quantity: quantity ?? 1,
  }));
  const coupons = couponsOf(world, params.discounts);
  const known = methodFor(world, { customer, given: params.default_payment_method });
  const needsCard = trialEnd === null && collectionMethod === 'charge_automatically';
  const paymentMethod = known ?? (needsCard ? newCard(world, customer) : null);
  if (params.payment_behavior === 'error_if_incomplete' && isDeclined(world, paymentMethod))
    throw cardDeclined();
  const subscription = startSubscription(world, {
    customer: customer.id,
    items,
    extras,
    coupons,
    // The customer's own stays the customer's, and may change.
    paymentMethod: params.default_payment_method === undefined && known !== null ? null : paymentMethod,
    trialEnd,
    missingPaymentMethod: params.trial_settings?.end_behavior.missing_payment_method ?? 'create_invoice',
    metadata: mergeMetadata({}, params.metadata),
    description: params.description ?? null,
    collectionMethod,
    daysUntilDue: params.days_until_due ?? null,
    payment: { kind: params.payment_behavior === 'default_incomplete' ? 'wait' : 'attempt' },
  });
  const ending = endPatch(world, subscription, params);
  if (Object.keys(ending).length === 0) return subscription;
  return world.tables.subscriptions.update(subscription, ending);
}

function discountPatch(world: World, before: Subscription, params: UpdateSubscription): Patch<Subscription> {
  if (params.discounts === undefined) return {};
  const by = { customer: before.customer, subscription: before.id };
  return {
    discounts: couponsOf(world, params.discounts).map((coupon) => redeemCoupon(world, coupon, by).id),
  };
}

/** What an update changes besides items. */
function patchOf(world: World, before: Subscription, params: UpdateSubscription): Patch<Subscription> {
  const customer = world.tables.customers.require(before.customer);
  const given = params.default_payment_method;
  const missing = params.trial_settings?.end_behavior.missing_payment_method;
  const details = params.cancellation_details;
  const ending = endPatch(world, before, params);
  const method = params.collection_method;
  return {
    ...ending,
    ...discountPatch(world, before, params),
    collection_method: method,
    days_until_due:
      method === 'charge_automatically'
        ? null
        : (params.days_until_due ?? (method === 'send_invoice' ? (before.days_until_due ?? 30) : undefined)),
    pause_collection: params.pause_collection,
    default_payment_method: given === undefined ? undefined : methodFor(world, { customer, given }),
    description: params.description,
    metadata: mergeMetadata(before.metadata, params.metadata),
    cancellation_details:
      details === undefined
        ? ending.cancellation_details
        : detailsOf(ending.cancellation_details ?? before.cancellation_details, details),
    trial_settings:
      missing === undefined
        ? undefined
        : { end_behavior: { billing_cycle_anchor: null, missing_payment_method: missing } },
  };
}

function detailsOf(
  before: Subscription['cancellation_details'],
  { comment, feedback }: z.infer<typeof cancellationDetails>,
): NonNullable<Subscription['cancellation_details']> {
  return {
    comment: comment === undefined ? (before?.comment ?? null) : comment,
    feedback: feedback ?? before?.feedback ?? null,
    feedback_option: before?.feedback_option ?? null,
    reason: before?.reason ?? null,
  };
}

function update(world: World, before: Subscription, params: UpdateSubscription): Subscription {
  if (isEnded(before))
    throw invalid('A canceled subscription can only update its cancellation_details and metadata.');
  checkTerms(params, String(before.collection_method));
  const items =
    params.items === undefined
      ? before.items.data
      : applyItemChanges(
          world,
          before,
          params.items.map((item, index) => itemChange(world, item, `items[${index}][price]`)),
        );
  const patch = patchOf(world, { ...before, items: { ...before.items, data: items } }, params);
  const trialEnd = params.trial_end;
  const proration = prorationOf(params);
  const restarts = params.billing_cycle_anchor === 'now';
  if (typeof trialEnd === 'number') {
    patch.trial_end = trialEnd;
    patch.trial_start = before.trial_start ?? world.clock.now();
    patch.status = 'trialing';
    patch.billing_cycle_anchor = trialEnd;
    updateSubscription(world, before, {
      items: items.map((item) => ({ ...item, current_period_end: trialEnd })),
      patch,
      restarts: false,
      proration: { ...proration, behavior: 'none' },
    });
  } else {
    const change = { items, patch, restarts, proration };
    const method = patch.default_payment_method ?? before.default_payment_method;
    if (
      params.payment_behavior === 'error_if_incomplete' &&
      isBilledNow(before, change) &&
      isDeclined(world, method)
    )
      throw cardDeclined();
    updateSubscription(world, before, change);
  }
  const after = world.tables.subscriptions.require(before.id);
  if (trialEnd === 'now' && after.status === 'trialing') endTrial(world, after);
  return world.tables.subscriptions.require(before.id);
}

const deleteParams = body({ ...lastBillParams, cancellation_details: cancellationDetails.optional() });
/** Another anchor than now is not implemented. */
const resumeParams = body({ billing_cycle_anchor: z.enum(['now']).optional() });

const listParams = listBody({
  customer: text.optional(),
  price: text.optional(),
  collection_method: text.optional(),
  status: z
    .enum([
      'all',
      'active',
      'canceled',
      'ended',
      'incomplete',
      'incomplete_expired',
      'past_due',
      'paused',
      'trialing',
      'unpaid',
    ])
    .optional(),
});

function hasStatus(subscription: Subscription, wanted: z.infer<typeof listParams>['status']): boolean {
  if (wanted === 'all') return true;
  if (wanted === 'ended') return isEnded(subscription);
  return wanted === undefined ? subscription.status !== 'canceled' : subscription.status === wanted;
}

export const subscriptionRoutes = [
  defineRoute('POST /v1/subscriptions', createParams, (world, _id, params) => create(world, params)),
  defineRoute('POST /v1/subscriptions/:id', updateParams, (world, id, params) =>
    update(world, world.tables.subscriptions.require(id), params),
  ),
  defineRoute('DELETE /v1/subscriptions/:id', deleteParams, (world, id, params) => {
    const subscription = world.tables.subscriptions.require(id);
    if (isEnded(subscription)) throw noSuch('subscription', id);
    billLast(world, id, params);
    const details = params.cancellation_details;
    if (details !== undefined) {
      world.tables.subscriptions.update(world.tables.subscriptions.require(id), {
        cancellation_details: detailsOf(subscription.cancellation_details, details),
      });
    }
    return endSubscription(world, id, 'cancellation_requested');
  }),
  defineRoute('POST /v1/subscriptions/:id/resume', resumeParams, (world, id) => {
    const subscription = world.tables.subscriptions.require(id);
    if (subscription.status !== 'paused')
      throw invalid('Only a paused subscription can be resumed.', 'subscription');
    const customer = world.tables.customers.require(subscription.customer);
    const known = subscription.default_payment_method ?? methodFor(world, { customer, given: undefined });
    resumePaused(
      world,
      world.tables.subscriptions.update(subscription, {
        default_payment_method: known ?? newCard(world, customer),
      }),
    );
    return world.tables.subscriptions.require(id);
  }),
  ...readRoutes('/v1/subscriptions', 'subscriptions', {
    params: listParams,
    equal: ['customer', 'collection_method'],
    matches: (row, { status, price }) =>
      hasStatus(row, status) &&
      (price === undefined || row.items.data.some((item) => item.price.id === price)),
  }),
];
