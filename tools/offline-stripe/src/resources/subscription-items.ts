import { z } from 'zod';

import { applyItemChanges, updateSubscription, type ItemChange } from '../billing/change-items.ts';
import { noSuch } from '../errors.ts';
import { defineRoute } from '../http/define-route.ts';
import { page } from '../http/list.ts';
import { body, expandOnly, metadata, mergeMetadata, natural, positive, text } from '../http/params.ts';
import type { Subscription, SubscriptionItem } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { knownPrice } from './prices.ts';
import { knownSubscription } from './subscriptions.ts';

const ACCEPTED = [
  'billing_thresholds',
  'discounts',
  'off_session',
  'payment_behavior',
  'proration_behavior',
  'proration_date',
  'tax_rates',
  'clear_usage',
];
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
  return knownSubscription(world, subscription.id);
}

function changeOf(
  world: World,
  id: string | null,
  params: {
    price?: string | undefined;
    quantity?: number | undefined;
    metadata?: z.infer<typeof metadata> | undefined;
  },
): ItemChange {
  return {
    id,
    price: params.price === undefined ? null : knownPrice(world, params.price, 'price'),
    quantity: params.quantity ?? null,
    isDeleted: false,
    metadata: params.metadata === undefined ? null : mergeMetadata({}, params.metadata),
  };
}

export const subscriptionItemRoutes = [
  defineRoute(
    'POST /v1/subscription_items',
    body({ ...fields, subscription: text, price: text }, ACCEPTED),
    (world, _id, params) => {
      const subscription = knownSubscription(world, params.subscription, 'subscription');
      const after = apply(world, subscription, changeOf(world, null, params));
      return after.items.data.at(-1) ?? {};
    },
  ),
  defineRoute('GET /v1/subscription_items/:id', expandOnly, (world, id) => find(world, id).item),
  defineRoute('POST /v1/subscription_items/:id', body(fields, ACCEPTED), (world, id, params) => {
    apply(world, find(world, id).subscription, changeOf(world, id, params));
    return find(world, id).item;
  }),
  defineRoute('DELETE /v1/subscription_items/:id', body({}, ACCEPTED), (world, id) => {
    const { subscription } = find(world, id);
    apply(world, subscription, { ...changeOf(world, id, {}), isDeleted: true });
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
      const items = knownSubscription(world, params.subscription, 'subscription').items.data;
      return page(items, params, { url: '/v1/subscription_items' });
    },
  ),
];
