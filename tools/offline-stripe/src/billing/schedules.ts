import { emit, emitChange } from '../events/emit.ts';
import { isMetered, planOf } from '../objects/catalog.ts';
import { itemObject } from '../objects/subscription.ts';
import type { Patch } from '../state/table.ts';
import type {
  SchedulePhase,
  Subscription,
  SubscriptionItem,
  SubscriptionSchedule,
} from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { addIntervals } from './calendar.ts';
import { hasNewInterval, updateSubscription } from './change-items.ts';
import { billLast, type LastBill } from './last-bill.ts';
import { phaseDiscounts } from './phase-discounts.ts';
import { endTrial } from './renew.ts';
import { changeSubscription, earliestPeriodEnd, endSubscription, withItems } from './subscription-changes.ts';

type PhaseItem = SchedulePhase['items'][number];

/** A phase's items as items of the subscription: equal prices keep their item, the others take those that are left. */
function itemsFor(world: World, subscription: Subscription, phase: SchedulePhase): SubscriptionItem[] {
  const now = world.clock.now();
  const left = [...subscription.items.data];
  const take = (index: number): SubscriptionItem | undefined =>
    index < 0 ? undefined : left.splice(index, 1)[0];
  const kept = new Map(
    phase.items.map((wanted) => [wanted, take(left.findIndex(({ price }) => price.id === wanted.price))]),
  );
  return phase.items.flatMap((wanted: PhaseItem) => {
    const price = world.tables.prices.get(wanted.price);
    if (price === undefined) return [];
    const before = kept.get(wanted) ?? take(0);
    if (before === undefined) {
      const first = subscription.items.data[0];
      const period = { start: now, end: first?.current_period_end ?? addIntervals(now, price.recurring, 1) };
      const end = period.end > now ? period.end : addIntervals(now, price.recurring, 1);
      const fields = { price, quantity: wanted.quantity ?? 1, created: now, period: { start: now, end } };
      return [itemObject({ subscription: subscription.id, ...fields })];
    }
    const { quantity, ...item } = before;
    const counted = isMetered(price) ? {} : { quantity: wanted.quantity ?? quantity ?? 1 };
    return [{ ...item, price, plan: planOf(price), ...counted }];
  });
}

/** Ends the schedule; its subscription goes on as it is. */
export function releaseSchedule(
  world: World,
  schedule: SubscriptionSchedule,
  { keepsEnd = false } = {},
): SubscriptionSchedule {
  const { subscription } = schedule;
  const released = world.tables.schedules.update(schedule, {
    status: 'released',
    released_at: world.clock.now(),
    released_subscription: subscription,
    subscription: null,
    current_phase: null,
  });
  const end = schedule.end_behavior === 'cancel' && !keepsEnd ? { cancel_at: null, canceled_at: null } : {};
  if (subscription !== null) changeSubscription(world, subscription, { schedule: null, ...end });
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
  applyPhase(world, next, { phase, proration: phase.proration_behavior });
  emitChange(world, 'subscription_schedule.updated', { before: schedule, after: next });
}

type Applied = { phase: SchedulePhase; proration: SchedulePhase['proration_behavior'] };

function behaviorOf(named: string): 'always_invoice' | 'create_prorations' | 'none' {
  return named === 'always_invoice' || named === 'none' ? named : 'create_prorations';
}

/** Makes the subscription what a phase says: its items, discounts, metadata, trial. */
export function applyPhase(
  world: World,
  schedule: SubscriptionSchedule,
  { phase, proration }: Applied,
): void {
  const before = world.tables.subscriptions.get(schedule.subscription ?? '');
  if (before === undefined) return;
  const now = world.clock.now();
  const items = itemsFor(world, before, phase);
  const patch: Patch<Subscription> = {
    discounts: phaseDiscounts(world, before, phase),
    metadata: { ...before.metadata, ...phase.metadata },
  };
  const isTrialOver = before.status === 'trialing' && (phase.trial_end ?? 0) <= now;
  if (earliestPeriodEnd(before.items.data) <= now) {
    // What is due now is billed by the renewal that follows.
    const anchor = hasNewInterval(before.items.data, items) ? { billing_cycle_anchor: now } : {};
    changeSubscription(world, before.id, { ...withItems(before, items), ...patch, ...anchor });
  } else {
    const change = { behavior: behaviorOf(proration), date: null };
    const restarts = phase.billing_cycle_anchor === 'phase_start';
    updateSubscription(world, before, { items, patch, restarts, proration: change });
    if (isTrialOver) endTrial(world, world.tables.subscriptions.require(before.id));
  }
}

/** A subscription was changed directly: its schedule's current phase follows it. */
export function mirrorItems(world: World, subscriptionId: string): void {
  const { schedule: id, items } = world.tables.subscriptions.require(subscriptionId);
  const before = world.tables.schedules.get(id ?? '');
  if (before?.status !== 'active') return;
  const after = world.tables.schedules.update(before, {
    phases: before.phases.map((phase) => {
      const [blank] = phase.items;
      if (phase.start_date !== before.current_phase?.start_date || blank === undefined) return phase;
      const now = items.data.map(({ price, quantity }) => ({
        ...blank,
        price: price.id,
        plan: price.id,
        ...(quantity === undefined ? {} : { quantity }),
      }));
      return { ...phase, items: now };
    }),
  });
  emitChange(world, 'subscription_schedule.updated', { before, after });
}
