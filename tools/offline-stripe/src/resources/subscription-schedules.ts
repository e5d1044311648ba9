import { z } from 'zod';

import { addIntervals } from '../billing/calendar.ts';
import { applyPhase, cancelSchedule, releaseSchedule } from '../billing/schedules.ts';
import { earliestPeriodEnd } from '../billing/subscription-changes.ts';
import { invalid } from '../errors.ts';
import { emit, emitChange } from '../events/emit.ts';
import { defineRoute, readRoutes } from '../http/define-route.ts';
import {
  body,
  expandOnly,
  listBody,
  mergeMetadata,
  metadata,
  moment,
  positive,
  text,
} from '../http/params.ts';
import { phaseObject, scheduleObject } from '../objects/schedule.ts';
import type { Price, SchedulePhase, SubscriptionSchedule } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { endParams } from './end-params.ts';

const phaseParams = z.strictObject({
  items: z
    .array(z.strictObject({ price: text, quantity: positive.optional() }))
    .min(1)
    .max(20),
  start_date: moment.optional(),
  end_date: moment.optional(),
  iterations: positive.optional(),
  duration: z
    .strictObject({ interval: z.enum(['day', 'week', 'month', 'year']), interval_count: positive.optional() })
    .optional(),
});
const updateParams = body({
  phases: z.array(phaseParams).min(1).max(10).optional(),
  end_behavior: z.enum(['release', 'cancel']).optional(),
  metadata: metadata.optional(),
  proration_behavior: z.enum(['none'], 'phases make no prorations here: pass none').optional(),
});

function runningSchedule(world: World, id: string): SubscriptionSchedule {
  const schedule = world.tables.schedules.require(id);
  if (schedule.status !== 'active') {
    throw invalid(`This schedule is ${schedule.status}; only an active one can be changed.`, 'id');
  }
  return schedule;
}

function recurringOf(price: Price, duration: z.infer<typeof phaseParams>['duration']): Price['recurring'] {
  if (price.recurring === null || duration === undefined) return price.recurring;
  return { ...price.recurring, interval: duration.interval, interval_count: duration.interval_count ?? 1 };
}

/** Phases follow one another; a length is given by `end_date`, `duration` or `iterations` (default one period). */
function plannedPhases(
  world: World,
  schedule: SubscriptionSchedule,
  wanted: z.infer<typeof phaseParams>[],
): SchedulePhase[] {
  const now = world.clock.now();
  let at = schedule.current_phase?.start_date ?? now;
  return wanted.map((phase, index) => {
    const prices = phase.items.map((item, position) =>
      world.tables.prices.require(item.price, `phases[${index}][items][${position}][price]`),
    );
    const first = prices[0];
    if (first === undefined) throw invalid('Missing required param: phases[0][items].', 'phases');
    const start = phase.start_date === 'now' ? now : (phase.start_date ?? at);
    const named = phase.end_date === 'now' ? now : phase.end_date;
    const end = named ?? addIntervals(start, recurringOf(first, phase.duration), phase.iterations ?? 1);
    if (end <= start) throw invalid('A phase must end after it starts.', `phases[${index}][end_date]`);
    at = end;
    const items = phase.items.map((item) => ({ price: item.price, quantity: item.quantity ?? 1 }));
    return phaseObject({ currency: first.currency, start, end, items });
  });
}

function createFromSubscription(world: World, id: string): SubscriptionSchedule {
  const subscription = world.tables.subscriptions.require(id, 'from_subscription');
  if (subscription.schedule !== null) {
    throw invalid(
      'You cannot migrate a subscription that is already attached to a schedule.',
      'from_subscription',
    );
  }
  const items = subscription.items.data.map((item) => ({
    price: item.price.id,
    quantity: item.quantity ?? 1,
  }));
  const start = subscription.items.data[0]?.current_period_start ?? subscription.start_date;
  const end = earliestPeriodEnd(subscription.items.data);
  const phase = phaseObject({ currency: subscription.currency, start, end, items });
  const schedule = world.tables.schedules.insert(scheduleObject(subscription, phase, world.clock.now()));
  const attached = world.tables.subscriptions.update(subscription, { schedule: schedule.id });
  emit(world, 'subscription_schedule.created', schedule);
  emitChange(world, 'customer.subscription.updated', { before: subscription, after: attached });
  return schedule;
}

function update(
  world: World,
  before: SubscriptionSchedule,
  params: z.infer<typeof updateParams>,
): SubscriptionSchedule {
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
  const isChanged = JSON.stringify(old?.items) !== JSON.stringify(current.items);
  if (isChanged) applyPhase(world, after, current);
  return after;
}

export const subscriptionScheduleRoutes = [
  defineRoute('POST /v1/subscription_schedules', body({ from_subscription: text }), (world, _id, params) =>
    createFromSubscription(world, params.from_subscription),
  ),
  defineRoute('POST /v1/subscription_schedules/:id', updateParams, (world, id, params) =>
    update(world, runningSchedule(world, id), params),
  ),
  defineRoute('POST /v1/subscription_schedules/:id/release', expandOnly, (world, id) =>
    releaseSchedule(world, runningSchedule(world, id)),
  ),
  defineRoute('POST /v1/subscription_schedules/:id/cancel', endParams, (world, id, params) =>
    cancelSchedule(world, runningSchedule(world, id), params),
  ),
  ...readRoutes('/v1/subscription_schedules', 'schedules', {
    params: listBody({ customer: text.optional() }),
    equal: ['customer'],
  }),
];
