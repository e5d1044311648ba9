import {
  applyItemChanges,
  updateSubscription,
  type ItemChange,
  type Proration,
} from '../billing/change-items.ts';
import { noSuch } from '../errors.ts';
import { defineRoute } from '../http/define-route.ts';
import { page } from '../http/list.ts';
import { body, expandOnly, metadata, natural, pageBody, text } from '../http/params.ts';
import type { Subscription, SubscriptionItem } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { checkProrationDate } from './check-update.ts';
import { itemChange } from './subscription-choices.ts';
import { prorationOf, prorationParams } from './subscription-params.ts';

const fields = {
  ...prorationParams,
  price: text.optional(),
  quantity: natural.optional(),
  metadata: metadata.optional(),
};

function find(world: World, id: string): { subscription: Subscription; item: SubscriptionItem } {
  for (const subscription of world.tables.subscriptions.all()) {
    const item = subscription.items.data.find((one) => one.id === id);
    if (item !== undefined) return { subscription, item };
  }
  throw noSuch('subscription_item', id);
}

function apply(
  world: World,
  subscription: Subscription,
  { change, proration }: { change: ItemChange; proration: Proration },
): Subscription {
  checkProrationDate(subscription, proration.date ?? undefined, 'proration_date');
  const items = applyItemChanges(world, subscription, [change]);
  updateSubscription(world, subscription, { items, patch: {}, restarts: false, proration });
  return world.tables.subscriptions.require(subscription.id);
}

export const subscriptionItemRoutes = [
  defineRoute(
    'POST /v1/subscription_items',
    body({ ...fields, subscription: text, price: text }),
    (world, _id, params) => {
      const { subscription: subscriptionId, price, quantity, metadata: given } = params;
      const subscription = world.tables.subscriptions.require(subscriptionId, 'subscription');
      const item = { price, quantity, metadata: given };
      const change = itemChange(world, subscription.items.data, { item, param: '' });
      const after = apply(world, subscription, { change, proration: prorationOf(params) });
      return after.items.data.at(-1) ?? {};
    },
  ),
  defineRoute('GET /v1/subscription_items/:id', expandOnly, (world, id) => find(world, id).item),
  defineRoute('POST /v1/subscription_items/:id', body(fields), (world, id, params) => {
    const { price, quantity, metadata: given } = params;
    const { subscription } = find(world, id);
    const item = { id, price, quantity, metadata: given };
    const change = itemChange(world, subscription.items.data, { item, param: '' });
    apply(world, subscription, { change, proration: prorationOf(params) });
    return find(world, id).item;
  }),
  defineRoute('DELETE /v1/subscription_items/:id', body(prorationParams), (world, id, params) => {
    const { subscription } = find(world, id);
    const item = { id, deleted: true };
    const change = itemChange(world, subscription.items.data, { item, param: '' });
    apply(world, subscription, { change, proration: prorationOf(params) });
    return { id, object: 'subscription_item', deleted: true };
  }),
  defineRoute('GET /v1/subscription_items', pageBody({ subscription: text }), (world, _id, params) => {
    const items = world.tables.subscriptions.require(params.subscription, 'subscription').items.data;
    return page(items, params, { url: '/v1/subscription_items' });
  }),
];
