import { z } from 'zod';

import { daySeconds } from '../billing/calendar.ts';
import { applyItemChanges, updateSubscription } from '../billing/change-items.ts';
import { endTrial, resumePaused } from '../billing/renew.ts';
import { startSubscription } from '../billing/start-subscription.ts';
import { endPatch, endSubscription, isEnded } from '../billing/subscription-changes.ts';
import { invalid, noSuch } from '../errors.ts';
import { emit } from '../events/emit.ts';
import { defineRoute, readRoutes } from '../http/define-route.ts';
import { body, listBody, mergeMetadata, text } from '../http/params.ts';
import { cardObject } from '../objects/customer.ts';
import type { Patch } from '../state/tables.ts';
import type { Subscription } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { requireActive } from './prices.ts';
import {
  createParams,
  itemChange,
  updateParams,
  type CreateSubscription,
  type UpdateSubscription,
} from './subscription-params.ts';

function paymentKind(params: CreateSubscription): 'attempt' | 'declined' | 'wait' {
  if (params.payment_behavior === 'default_incomplete') return 'wait';
  return /declin|fail|insufficient/i.test(params.default_payment_method ?? '') ? 'declined' : 'attempt';
}

/** A test token such as `pm_card_visa` becomes a card of the customer's own. */
function cardFor(world: World, customer: string, method: string | null): string | null {
  if (method === null || world.tables.paymentMethods.get(method) !== undefined) return method;
  const card = world.tables.paymentMethods.insert(cardObject({ created: world.clock.now(), customer }));
  emit(world, 'payment_method.attached', card);
  return card.id;
}

function create(world: World, params: CreateSubscription): Subscription {
  const customer = world.tables.customers.require(params.customer, 'customer');
  const trialDays = params.trial_period_days;
  const trialEnd =
    params.trial_end === 'now'
      ? null
      : (params.trial_end ?? (trialDays === undefined ? null : world.clock.now() + trialDays * daySeconds));
  const items = params.items.map((item, index) => {
    const name = `items[${index}][price]`;
    const price = world.tables.prices.require(item.price, name);
    if (price.type !== 'recurring') {
      throw invalid(
        `The price specified is set to \`type=one_time\` but this field only accepts prices with \`type=recurring\`.`,
        name,
      );
    }
    requireActive(price, name);
    return { price, quantity: item.quantity ?? 1, metadata: mergeMetadata({}, item.metadata) };
  });
  // Stripe refuses a customer without a payment method; here one gets a card, except with a trial.
  const method = params.default_payment_method ?? customer.invoice_settings.default_payment_method ?? null;
  const subscription = startSubscription(world, {
    customer: customer.id,
    items,
    paymentMethod: cardFor(world, customer.id, method ?? (trialEnd === null ? 'pm_card_visa' : null)),
    trialEnd,
    missingPaymentMethod: params.trial_settings?.end_behavior.missing_payment_method ?? 'create_invoice',
    metadata: mergeMetadata({}, params.metadata),
    description: params.description ?? null,
    collectionMethod: params.collection_method ?? 'charge_automatically',
    payment: { kind: paymentKind(params) },
  });
  const ending = endPatch(world, subscription, params);
  if (Object.keys(ending).length === 0) return subscription;
  return world.tables.subscriptions.update(subscription, ending);
}

function update(world: World, before: Subscription, params: UpdateSubscription): Subscription {
  if (isEnded(before))
    throw invalid('A canceled subscription can only update its cancellation_details and metadata.');
  const items =
    params.items === undefined
      ? before.items.data
      : applyItemChanges(
          world,
          before,
          params.items.map((item, index) => itemChange(world, item, `items[${index}][price]`)),
        );
  const patch: Patch<Subscription> = {
    ...endPatch(world, { ...before, items: { ...before.items, data: items } }, params),
    pause_collection: params.pause_collection,
    default_payment_method: params.default_payment_method,
    description: params.description,
    metadata: mergeMetadata(before.metadata, params.metadata),
  };
  const trialEnd = params.trial_end;
  if (typeof trialEnd === 'number') {
    patch.trial_end = trialEnd;
    patch.trial_start = before.trial_start ?? world.clock.now();
    patch.status = 'trialing';
    patch.billing_cycle_anchor = trialEnd;
    updateSubscription(world, before, {
      items: items.map((item) => ({ ...item, current_period_end: trialEnd })),
      patch,
      restarts: false,
    });
  } else updateSubscription(world, before, { items, patch, restarts: params.billing_cycle_anchor === 'now' });
  const after = world.tables.subscriptions.require(before.id);
  if (trialEnd === 'now' && after.status === 'trialing') endTrial(world, after);
  return world.tables.subscriptions.require(before.id);
}

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
  defineRoute(
    'DELETE /v1/subscriptions/:id',
    body({}, 'cancellation_details invoice_now prorate'),
    (world, id) => {
      const subscription = world.tables.subscriptions.require(id);
      if (isEnded(subscription)) throw noSuch('subscription', id);
      return endSubscription(world, id, 'cancellation_requested');
    },
  ),
  defineRoute(
    'POST /v1/subscriptions/:id/resume',
    body({}, 'billing_cycle_anchor proration_behavior proration_date payment_behavior'),
    (world, id) => {
      const subscription = world.tables.subscriptions.require(id);
      if (subscription.status !== 'paused')
        throw invalid('Only a paused subscription can be resumed.', 'subscription');
      const { customer, default_payment_method: known } = subscription;
      const method = cardFor(world, customer, known ?? 'pm_card_visa');
      resumePaused(
        world,
        world.tables.subscriptions.update(subscription, { default_payment_method: method }),
      );
      return world.tables.subscriptions.require(id);
    },
  ),
  ...readRoutes('/v1/subscriptions', 'subscriptions', {
    params: listParams,
    equal: ['customer', 'collection_method'],
    matches: (row, { status, price }) =>
      hasStatus(row, status) &&
      (price === undefined || row.items.data.some((item) => item.price.id === price)),
  }),
];
