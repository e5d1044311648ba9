import { isDeepStrictEqual } from 'node:util';

import { invalid } from '../errors.ts';
import { emit, emitChange } from '../events/emit.ts';
import { itemList } from '../objects/subscription.ts';
import type { Patch } from '../state/table.ts';
import type { Subscription, SubscriptionItem } from '../stripe-objects.ts';
import type { World } from '../world.ts';

export function isEnded({ status }: Subscription): boolean {
  return status === 'canceled' || status === 'incomplete_expired';
}

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

/** Changes a subscription and emits `customer.subscription.updated` if anything differs. */
export function changeSubscription(world: World, id: string, patch: Patch<Subscription>): Subscription {
  const before = world.tables.subscriptions.get(id);
  if (before === undefined) throw new Error(`subscription ${id} vanished`);
  const after = world.tables.subscriptions.update(before, patch);
  if (!isDeepStrictEqual(before, after))
    emitChange(world, 'customer.subscription.updated', { before, after });
  return after;
}

/** A subscription that ends takes its schedule with it. */
function endSchedule(world: World, { schedule: id, ended_at: endedAt }: Subscription): void {
  const schedule = world.tables.schedules.get(id ?? '');
  if (schedule?.status !== 'active') return;
  const patch = { status: 'canceled', canceled_at: endedAt, current_phase: null } as const;
  emit(world, 'subscription_schedule.canceled', world.tables.schedules.update(schedule, patch));
}

/** Ends a subscription now: status `canceled`, `ended_at`, `customer.subscription.deleted`. */
export function endSubscription(
  world: World,
  id: string,
  reason: 'cancellation_requested' | 'payment_failed',
): Subscription {
  const before = world.tables.subscriptions.get(id);
  if (before === undefined) throw new Error(`subscription ${id} vanished`);
  const now = world.clock.now();
  const ended = world.tables.subscriptions.update(before, {
    status: 'canceled',
    canceled_at: before.canceled_at ?? now,
    ended_at: now,
    pending_update: null,
    cancellation_details: {
      comment: before.cancellation_details?.comment ?? null,
      feedback: before.cancellation_details?.feedback ?? null,
      feedback_option: before.cancellation_details?.feedback_option ?? null,
      reason,
    },
  });
  world.tables.subscriptionControls.remove(id);
  emit(world, 'customer.subscription.deleted', ended);
  endSchedule(world, ended);
  return ended;
}

export type EndParams = {
  cancel_at?: number | 'min_period_end' | 'max_period_end' | null | undefined;
  cancel_at_period_end?: boolean | undefined;
};

const noDetails = { comment: null, feedback: null, feedback_option: null };
const notEnding: Partial<Subscription> = {
  canceled_at: null,
  cancel_at: null,
  cancel_at_period_end: false,
  cancellation_details: { ...noDetails, reason: null },
};

/**
 * The two ways to end later. `cancel_at_period_end` also shows as `cancel_at` (the earliest item's end); a bare
 * `cancel_at` leaves the boolean false, which is how the customer portal cancels.
 */
export function endPatch(world: World, subscription: Subscription, params: EndParams): Partial<Subscription> {
  const now = world.clock.now();
  const { cancel_at: at, cancel_at_period_end: atPeriodEnd } = params;
  const requested: Partial<Subscription> = {
    canceled_at: now,
    cancellation_details: { ...noDetails, reason: 'cancellation_requested' },
  };
  const items = subscription.items.data;
  if (atPeriodEnd === true) {
    if (at !== undefined && at !== null) {
      throw invalid(
        'You may only specify one of these parameters: cancel_at, cancel_at_period_end.',
        'cancel_at',
      );
    }
    return { ...requested, cancel_at_period_end: true, cancel_at: earliestPeriodEnd(items) };
  }
  if (at === null) return notEnding;
  if (at !== undefined) {
    const ends = items.map((item) => item.current_period_end);
    const moment =
      at === 'min_period_end' ? Math.min(...ends) : at === 'max_period_end' ? Math.max(...ends) : at;
    if (moment <= now) throw invalid('The subscription cannot be canceled in the past.', 'cancel_at');
    return { ...requested, cancel_at: moment, cancel_at_period_end: false };
  }
  return atPeriodEnd === false && subscription.cancel_at_period_end ? notEnding : {};
}
