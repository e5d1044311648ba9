import { invalid, noSuch } from '../errors.ts';
import { isMetered, planOf } from '../objects/catalog.ts';
import { itemObject } from '../objects/subscription.ts';
import type { Patch } from '../state/table.ts';
import type { Metadata, Price, Subscription, SubscriptionItem } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { addIntervals } from './calendar.ts';
import { holdChange } from './hold-change.ts';
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

export function hasNewInterval(before: SubscriptionItem[], after: SubscriptionItem[]): boolean {
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

const isRunning = ({ status }: Subscription): boolean => status === 'active' || status === 'past_due';

const isRestarted = (before: Subscription, { restarts, items }: SubscriptionUpdate): boolean =>
  restarts || hasNewInterval(before.items.data, items);

/** The subscription as an update makes it. */
function updated(before: Subscription, items: SubscriptionItem[], patch: Patch<Subscription>): Subscription {
  const given = Object.entries(patch).filter(([, value]) => value !== undefined);
  return { ...before, ...withItems(before, items), ...Object.fromEntries(given) };
}

/** Bills an update, which is made only once that invoice is paid. */
export function holdUpdate(world: World, before: Subscription, update: SubscriptionUpdate): void {
  const { items, patch, proration } = update;
  const now = world.clock.now();
  const at = proration.date ?? now;
  const restarts = isRestarted(before, update);
  const billed = restarts ? restartPeriods(items, now) : [];
  const after = updated(before, restarts ? billed : items, patch);
  if (proration.behavior !== 'none') {
    if (restarts) creditUnused(world, before, at);
    else prorate(world, before, { after, at });
  }
  const change = restarts ? { items: after.items, billing_cycle_anchor: now } : { items: after.items };
  holdChange(world, before, { kind: 'update', change, billed });
}

/**
 * Changes items and other fields in one update. A new interval starts a new period now, and bills it. Other changes
 * within a period are prorated.
 */
export function updateSubscription(world: World, before: Subscription, update: SubscriptionUpdate): void {
  const { items, patch, proration } = update;
  const runs = isRunning(before);
  const now = world.clock.now();
  const at = proration.date ?? now;
  if (runs && isRestarted(before, update)) {
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
  if (runs && proration.behavior !== 'none')
    prorate(world, before, { after: updated(before, items, patch), at });
  const after = changeSubscription(world, before.id, { ...withItems(before, items), ...patch });
  const waiting = pendingItems(world, { ...after, subscription: after.id });
  if (runs && proration.behavior === 'always_invoice' && waiting.length > 0)
    billItems(world, after, { items: [], reason: 'subscription_update' });
}
