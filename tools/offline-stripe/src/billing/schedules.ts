import { emit, emitChange } from '../events/emit.ts';
import { planOf } from '../objects/catalog.ts';
import { itemObject } from '../objects/subscription.ts';
import type {
  SchedulePhase,
  Subscription,
  SubscriptionItem,
  SubscriptionSchedule,
} from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { addIntervals } from './calendar.ts';
import { billLast, type LastBill } from './last-bill.ts';
import { changeSubscription, endSubscription, withItems } from './subscription-changes.ts';

/** A phase's items as items of the subscription, matched by position so that a switch keeps the item's id. */
function itemsFor(world: World, subscription: Subscription, phase: SchedulePhase): SubscriptionItem[] {
  const now = world.clock.now();
  return phase.items.flatMap((wanted, index) => {
    const price = world.tables.prices.get(wanted.price);
    if (price === undefined) return [];
    const quantity = wanted.quantity ?? 1;
    const before = subscription.items.data[index];
    if (before !== undefined) return [{ ...before, price, plan: planOf(price), quantity }];
    const period = { start: now, end: addIntervals(now, price.recurring, 1) };
    return [itemObject({ subscription: subscription.id, price, quantity, created: now, period })];
  });
}

/** Ends the schedule; its subscription goes on as it is. */
export function releaseSchedule(world: World, schedule: SubscriptionSchedule): SubscriptionSchedule {
  const { subscription } = schedule;
  const released = world.tables.schedules.update(schedule, {
    status: 'released',
    released_at: world.clock.now(),
    released_subscription: subscription,
    subscription: null,
    current_phase: null,
  });
  if (subscription !== null) changeSubscription(world, subscription, { schedule: null });
  emit(world, 'subscription_schedule.released', released);
  return released;
}

/** Ends the schedule and its subscription. */
export function cancelSchedule(
  world: World,
  schedule: SubscriptionSchedule,
  bill: LastBill = {},
): SubscriptionSchedule {
  const canceled = world.tables.schedules.update(schedule, {
    status: 'canceled',
    canceled_at: world.clock.now(),
    current_phase: null,
  });
  if (schedule.subscription !== null) {
    billLast(world, schedule.subscription, bill);
    endSubscription(world, schedule.subscription, 'cancellation_requested');
  }
  emit(world, 'subscription_schedule.canceled', canceled);
  return canceled;
}

function complete(world: World, schedule: SubscriptionSchedule): void {
  const completed = world.tables.schedules.update(schedule, {
    status: 'completed',
    completed_at: world.clock.now(),
    current_phase: null,
  });
  if (schedule.subscription !== null) endSubscription(world, schedule.subscription, 'cancellation_requested');
  emit(world, 'subscription_schedule.completed', completed);
}

/** A phase is over: its successor's items apply, or after the last one the schedule's `end_behavior`. */
export function enterNextPhase(world: World, schedule: SubscriptionSchedule): void {
  const now = world.clock.now();
  const phase = schedule.phases.find((one) => one.start_date <= now && one.end_date > now);
  if (phase === undefined) {
    if (schedule.end_behavior === 'cancel') complete(world, schedule);
    else releaseSchedule(world, schedule);
    return;
  }
  const next = world.tables.schedules.update(schedule, {
    current_phase: { start_date: phase.start_date, end_date: phase.end_date },
  });
  applyPhase(world, next, phase);
  emitChange(world, 'subscription_schedule.updated', { before: schedule, after: next });
}

/** Makes the subscription's items those of a phase. */
export function applyPhase(world: World, schedule: SubscriptionSchedule, phase: SchedulePhase): void {
  const subscription = world.tables.subscriptions.get(schedule.subscription ?? '');
  if (subscription === undefined) return;
  changeSubscription(world, subscription.id, withItems(subscription, itemsFor(world, subscription, phase)));
}
