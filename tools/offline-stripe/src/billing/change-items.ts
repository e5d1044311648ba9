import { invalid, noSuch } from '../errors.ts';
import { isMetered, planOf } from '../objects/catalog.ts';
import { itemObject } from '../objects/subscription.ts';
import type { Patch } from '../state/tables.ts';
import type { Metadata, Price, Subscription, SubscriptionItem } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { addIntervals } from './calendar.ts';
import { pendingItems } from './invoice-items.ts';
import { creditUnused, prorate } from './prorate.ts';
import { billItems, restartPeriods } from './renew.ts';
import { changeSubscription, withItems } from './subscription-changes.ts';

export type ItemChange = {
  id: string | null;
  price: Price | null;
  quantity: number | null;
  isDeleted: boolean;
  metadata: Metadata | null;
};

function newItem(world: World, subscription: Subscription, change: ItemChange): SubscriptionItem {
  if (change.price === null)
    throw invalid('Missing required param: items[][price].', 'items', 'parameter_missing');
  const now = world.clock.now();
  const sibling = subscription.items.data.find(
    (item) => item.price.recurring?.interval === change.price?.recurring?.interval,
  );
  const period =
    sibling === undefined
      ? {
          start: now,
          end:
            subscription.status === 'trialing'
              ? (subscription.trial_end ?? now)
              : addIntervals(now, change.price.recurring, 1),
        }
      : { start: sibling.current_period_start, end: sibling.current_period_end };
  return itemObject({
    subscription: subscription.id,
    price: change.price,
    quantity: change.quantity ?? 1,
    created: now,
    period,
    metadata: change.metadata ?? {},
  });
}

function changedItem({ quantity, ...item }: SubscriptionItem, change: ItemChange): SubscriptionItem {
  const price = change.price ?? item.price;
  return {
    ...item,
    price,
    plan: planOf(price),
    ...(isMetered(price) ? {} : { quantity: change.quantity ?? quantity ?? 1 }),
    metadata: change.metadata ?? item.metadata,
  };
}

/** Applies item changes in order: by id where given, else a new item. */
export function applyItemChanges(
  world: World,
  subscription: Subscription,
  changes: ItemChange[],
): SubscriptionItem[] {
  let items = subscription.items.data;
  for (const change of changes) {
    if (change.id === null) {
      if (change.price !== null && items.some((item) => item.price.id === change.price?.id)) {
        throw invalid(
          `Cannot add multiple subscription items with the same plan: ${change.price.id}`,
          'items',
        );
      }
      items = [...items, newItem(world, subscription, change)];
      continue;
    }
    const item = items.find((one) => one.id === change.id);
    if (item === undefined) throw noSuch('subscription item', change.id, 'items');
    items = change.isDeleted
      ? items.filter((one) => one !== item)
      : items.map((one) => (one === item ? changedItem(item, change) : one));
  }
  if (items.length === 0) throw invalid('A subscription must have at least one active plan.', 'items');
  return items;
}

function hasNewInterval(before: SubscriptionItem[], after: SubscriptionItem[]): boolean {
  return after.some((item) => {
    const old = before.find((one) => one.id === item.id)?.price.recurring;
    const now = item.price.recurring;
    return (
      old !== undefined && (old?.interval !== now?.interval || old?.interval_count !== now?.interval_count)
    );
  });
}

export type Proration = {
  behavior: 'always_invoice' | 'create_prorations' | 'none';
  /** From when the change counts; null: now. */
  date: number | null;
};

export type SubscriptionUpdate = {
  items: SubscriptionItem[];
  patch: Patch<Subscription>;
  /** A new period starts now, whatever the items are. */
  restarts: boolean;
  proration: Proration;
};

/** True if the update is billed at once. */
export function isBilledNow(before: Subscription, update: SubscriptionUpdate): boolean {
  const isRunning = before.status === 'active' || before.status === 'past_due';
  const restarts = update.restarts || hasNewInterval(before.items.data, update.items);
  return isRunning && (restarts || update.proration.behavior === 'always_invoice');
}

/**
 * Changes items and other fields in one update. A new interval starts a new period now, and bills it. Other changes
 * within a period are prorated.
 */
export function updateSubscription(world: World, before: Subscription, update: SubscriptionUpdate): void {
  const { items, patch, proration } = update;
  const isRunning = before.status === 'active' || before.status === 'past_due';
  const now = world.clock.now();
  const at = proration.date ?? now;
  if (isRunning && (update.restarts || hasNewInterval(before.items.data, items))) {
    if (proration.behavior !== 'none') creditUnused(world, before, at);
    billItems(
      world,
      { ...before, ...withItems(before, items) },
      {
        items: restartPeriods(items, now),
        reason: 'subscription_update',
        patch: { ...patch, billing_cycle_anchor: now },
      },
    );
    return;
  }
  if (isRunning && proration.behavior !== 'none') prorate(world, before, { items, at });
  const after = changeSubscription(world, before.id, { ...withItems(before, items), ...patch });
  const waiting = pendingItems(world, { ...after, subscription: after.id });
  if (isRunning && proration.behavior === 'always_invoice' && waiting.length > 0)
    billItems(world, after, { items: [], reason: 'subscription_update' });
}
