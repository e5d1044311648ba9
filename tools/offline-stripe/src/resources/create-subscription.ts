import { daySeconds } from '../billing/calendar.ts';
import { isDeclined } from '../billing/payment-methods.ts';
import { startSubscription } from '../billing/start-subscription.ts';
import { endPatch } from '../billing/subscription-changes.ts';
import { cardDeclined } from '../errors.ts';
import { mergeMetadata } from '../http/params.ts';
import type { Subscription } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { redeemablesOf } from './discount-params.ts';
import { checkTerms, methodFor, newCard, requirePrice, requireUncounted } from './subscription-choices.ts';
import type { CreateSubscription } from './subscription-params.ts';

function trialEndOf(world: World, params: CreateSubscription): number | null {
  if (params.trial_end === 'now') return null;
  const days = params.trial_period_days;
  return params.trial_end ?? (days === undefined ? null : world.clock.now() + days * daySeconds);
}

export function createSubscription(world: World, params: CreateSubscription): Subscription {
  const customer = world.tables.customers.require(params.customer, 'customer');
  const collectionMethod = params.collection_method ?? 'charge_automatically';
  checkTerms(params, 'charge_automatically');
  const trialEnd = trialEndOf(world, params);
  const items = params.items.map(({ price, quantity, metadata }, index) => ({
    price: requireUncounted(
      requirePrice(world, { id: price, type: 'recurring' }, `items[${index}][price]`),
      quantity,
      `items[${index}][quantity]`,
    ),
    quantity: quantity ?? 1,
    metadata: mergeMetadata({}, metadata),
  }));
  const extras = (params.add_invoice_items ?? []).map(({ price, quantity }, index) => ({
    price: requirePrice(world, { id: price, type: 'one_time' }, `add_invoice_items[${index}][price]`),
    quantity: quantity ?? 1,
  }));
  const discounts = redeemablesOf(world, params.discounts ?? [], {
    customer: customer.id,
    currency: items[0]?.price.currency,
  });
  const known = methodFor(world, { customer, given: params.default_payment_method });
  const needsCard = trialEnd === null && collectionMethod === 'charge_automatically';
  const paymentMethod = known ?? (needsCard ? newCard(world, customer) : null);
  if (params.payment_behavior === 'error_if_incomplete' && isDeclined(world, paymentMethod))
    throw cardDeclined();
  const subscription = startSubscription(world, {
    customer: customer.id,
    items,
    extras,
    discounts,
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
