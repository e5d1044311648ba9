import { isDeepStrictEqual } from 'node:util';

import { applyPhase, cancelSchedule, releaseSchedule } from '../billing/schedules.ts';
import { changeSubscription, earliestPeriodEnd, isEnded } from '../billing/subscription-changes.ts';
import { invalid } from '../errors.ts';
import { emit, emitChange } from '../events/emit.ts';
import { defineRoute, readRoutes } from '../http/define-route.ts';
import { body, flag, listBody, mergeMetadata, text } from '../http/params.ts';
import { phaseObject, scheduleObject } from '../objects/schedule.ts';
import type { SchedulePhase, SubscriptionSchedule } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { endParams } from './end-params.ts';
import { plannedPhases, updateScheduleParams, type UpdateSchedule } from './schedule-params.ts';

const releaseParams = body({ preserve_cancel_date: flag.optional() });

function runningSchedule(world: World, id: string): SubscriptionSchedule {
  const schedule = world.tables.schedules.require(id);
  if (schedule.status !== 'active') {
    throw invalid(
      `You cannot update a subscription schedule that is currently in the \`${schedule.status}\` status. It must be in \`not_started\`, \`active\` status to be updated.`,
    );
  }
  return schedule;
}

function createFromSubscription(world: World, id: string): SubscriptionSchedule {
  const subscription = world.tables.subscriptions.require(id, 'from_subscription');
  if (isEnded(subscription))
    throw invalid('You cannot migrate a subscription that is canceled.', 'from_subscription');
  if (subscription.schedule !== null) {
    throw invalid(
      'You cannot migrate a subscription that is already attached to a schedule.',
      'from_subscription',
    );
  }
  const items = subscription.items.data.map(({ price, quantity = null, metadata }) => ({
    price,
    quantity,
    metadata,
  }));
  const start = subscription.items.data[0]?.current_period_start ?? subscription.start_date;
  const end = subscription.cancel_at ?? earliestPeriodEnd(subscription.items.data);
  const phase = {
    ...phaseObject({ currency: subscription.currency, start, end, items }),
    discounts: subscription.discounts.map((discount) => ({ coupon: null, discount, promotion_code: null })),
    trial_end: subscription.status === 'trialing' ? subscription.trial_end : null,
  };
  const schedule = world.tables.schedules.insert(scheduleObject(subscription, phase, world.clock.now()));
  const attached = world.tables.subscriptions.update(subscription, { schedule: schedule.id });
  emit(world, 'subscription_schedule.created', schedule);
  emitChange(world, 'customer.subscription.updated', { before: subscription, after: attached });
  return schedule;
}

/** A schedule that ends its subscription shows that on it. */
function showEnd(world: World, { subscription, end_behavior: ending, phases }: SubscriptionSchedule): void {
  const end = ending === 'cancel' ? (phases.at(-1)?.end_date ?? null) : null;
  changeSubscription(world, subscription ?? '', { cancel_at: end });
}

/** What a phase makes of the subscription. */
const effectOf = ({ items, discounts, trial_end: trialEnd, metadata }: SchedulePhase): unknown => ({
  items: items.map(({ price, quantity }) => ({ price, quantity })),
  discounts,
  trialEnd,
  metadata,
});

function isSamePhase(old: SchedulePhase | undefined, current: SchedulePhase): boolean {
  return old !== undefined && isDeepStrictEqual(effectOf(old), effectOf(current));
}

function update(world: World, before: SubscriptionSchedule, params: UpdateSchedule): SubscriptionSchedule {
  const now = world.clock.now();
  const phases = params.phases === undefined ? before.phases : plannedPhases(world, before, params.phases);
  const current = phases.find((phase) => phase.start_date <= now && phase.end_date > now);
  if (current === undefined) throw invalid('One of the phases must be the current one.', 'phases');
  const after = world.tables.schedules.update(before, {
    phases,
    current_phase: { start_date: current.start_date, end_date: current.end_date },
    ...(params.end_behavior === undefined ? {} : { end_behavior: params.end_behavior }),
    metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
  });
  emitChange(world, 'subscription_schedule.updated', { before, after });
  const old = before.phases.find((phase) => phase.start_date === current.start_date);
  const proration = params.proration_behavior ?? 'create_prorations';
  if (!isSamePhase(old, current)) applyPhase(world, after, { phase: current, proration });
  if (after.end_behavior === 'cancel' || before.end_behavior === 'cancel') showEnd(world, after);
  return after;
}

export const subscriptionScheduleRoutes = [
  defineRoute('POST /v1/subscription_schedules', body({ from_subscription: text }), (world, _id, params) =>
    createFromSubscription(world, params.from_subscription),
  ),
  defineRoute('POST /v1/subscription_schedules/:id', updateScheduleParams, (world, id, params) =>
    update(world, runningSchedule(world, id), params),
  ),
  defineRoute('POST /v1/subscription_schedules/:id/release', releaseParams, (world, id, params) =>
    releaseSchedule(world, runningSchedule(world, id), { keepsEnd: params.preserve_cancel_date ?? false }),
  ),
  defineRoute('POST /v1/subscription_schedules/:id/cancel', endParams, (world, id, params) =>
    cancelSchedule(world, runningSchedule(world, id), params),
  ),
  ...readRoutes('/v1/subscription_schedules', 'schedules', {
    params: listBody({ customer: text.optional() }),
    equal: ['customer'],
  }),
];
