import { z } from 'zod';

import { applyItemChanges, updateSubscription, type ItemChange } from '../billing/change-items.ts';
import { noSuch } from '../errors.ts';
import { defineRoute } from '../http/define-route.ts';
import { page } from '../http/list.ts';
import { body, expandOnly, metadata, natural, positive, text } from '../http/params.ts';
import type { Subscription, SubscriptionItem } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { itemChange } from './subscription-params.ts';

const ignored = `
  billing_thresholds discounts off_session payment_behavior proration_behavior proration_date tax_rates
  clear_usage`;
const fields = { price: text.optional(), quantity: positive.optional(), metadata: metadata.optional() };

function find(world: World, id: string): { subscription: Subscription; item: SubscriptionItem } {
  for (const subscription of world.tables.subscriptions.all()) {
    const item = subscription.items.data.find((one) => one.id === id);
    if (item !== undefined) return { subscription, item };
  }
  throw noSuch('subscription_item', id);
}

function apply(world: World, subscription: Subscription, change: ItemChange): Subscription {
  const items = applyItemChanges(world, subscription, [change]);
  updateSubscription(world, subscription, { items, patch: {}, restarts: false });
  return world.tables.subscriptions.require(subscription.id);
}

export const subscriptionItemRoutes = [
  defineRoute(
    'POST /v1/subscription_items',
    body({ ...fields, subscription: text, price: text }, ignored),
    (world, _id, params) => {
      const { subscription: subscriptionId, price, quantity, metadata: given } = params;
      const subscription = world.tables.subscriptions.require(subscriptionId, 'subscription');
      const change = itemChange(world, { price, quantity, metadata: given }, 'price');
      const after = apply(world, subscription, change);
      return after.items.data.at(-1) ?? {};
    },
  ),
  defineRoute('GET /v1/subscription_items/:id', expandOnly, (world, id) => find(world, id).item),
  defineRoute('POST /v1/subscription_items/:id', body(fields, ignored), (world, id, params) => {
    apply(world, find(world, id).subscription, itemChange(world, { ...params, id }, 'price'));
    return find(world, id).item;
  }),
  defineRoute('DELETE /v1/subscription_items/:id', body({}, ignored), (world, id) => {
    const { subscription } = find(world, id);
    apply(world, subscription, itemChange(world, { id, deleted: true }, 'price'));
    return { id, object: 'subscription_item', deleted: true };
  }),
  defineRoute(
    'GET /v1/subscription_items',
    z.strictObject({
      subscription: text,
      limit: natural.optional(),
      starting_after: text.optional(),
      ending_before: text.optional(),
      expand: z.array(text).optional(),
    }),
    (world, _id, params) => {
      const items = world.tables.subscriptions.require(params.subscription, 'subscription').items.data;
      return page(items, params, { url: '/v1/subscription_items' });
    },
  ),
];
