import { isDeepStrictEqual } from 'node:util';

import { emit } from '../events/emit.ts';
import { itemList } from '../objects/subscription.ts';
import type { Subscription, SubscriptionItem } from '../stripe-objects.ts';
import type { World } from '../world.ts';

/** The end of the period that ends first: what "at period end" means where items differ. */
export function earliestPeriodEnd(items: SubscriptionItem[]): number {
  return Math.min(...items.map((item) => item.current_period_end));
}

export function withItems(subscription: Subscription, items: SubscriptionItem[]): Partial<Subscription> {
  return {
    items: itemList(subscription.id, items),
    ...(subscription.cancel_at_period_end ? { cancel_at: earliestPeriodEnd(items) } : {}),
  };
}

/** Changes a subscription and tells it by `customer.subscription.updated` with what it was before (if anything differs). */
export function changeSubscription(world: World, id: string, patch: Partial<Subscription>): Subscription {
  const before = world.tables.subscriptions.get(id);
  if (before === undefined) throw new Error(`subscription ${id} vanished`);
  const after = world.tables.subscriptions.update(before, patch);
  if (!isDeepStrictEqual(before, after)) emit(world, 'customer.subscription.updated', after, before);
  return after;
}

export type CancellationReason = 'cancellation_requested' | 'payment_failed' | 'payment_disputed';

/** Ends a subscription now: status `canceled`, `ended_at`, `customer.subscription.deleted`. */
export function endSubscription(world: World, id: string, reason: CancellationReason): Subscription {
  const before = world.tables.subscriptions.get(id);
  if (before === undefined) throw new Error(`subscription ${id} vanished`);
  const now = world.clock.now();
  const ended = world.tables.subscriptions.update(before, {
    status: 'canceled',
    canceled_at: before.canceled_at ?? now,
    ended_at: now,
    cancellation_details: {
      comment: before.cancellation_details?.comment ?? null,
      feedback: before.cancellation_details?.feedback ?? null,
      feedback_option: before.cancellation_details?.feedback_option ?? null,
      reason,
    },
  });
  world.tables.subscriptionControls.remove(id);
  emit(world, 'customer.subscription.deleted', ended);
  return ended;
}
