import { z } from 'zod';

import { addIntervals } from '../billing/calendar.ts';
import { invalid } from '../errors.ts';
import {
  body,
  flag,
  mergeMetadata,
  metadata,
  moment,
  natural,
  positive,
  text,
  unset,
} from '../http/params.ts';
import { isMetered } from '../objects/catalog.ts';
import { phaseObject } from '../objects/schedule.ts';
import type { Price, SchedulePhase, SubscriptionSchedule } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { discountParams } from './discount-params.ts';
import { requireUncounted } from './subscription-choices.ts';

const prorationBehavior = z.enum(['always_invoice', 'create_prorations', 'none']);
const phaseParams = z.strictObject({
  items: z
    .array(z.strictObject({ price: text, quantity: natural.optional(), metadata: metadata.optional() }))
    .min(1)
    .max(20),
  billing_cycle_anchor: z.enum(['automatic', 'phase_start']).optional(),
  discounts: z.union([unset, discountParams]).optional(),
  duration: z
    .strictObject({ interval: z.enum(['day', 'week', 'month', 'year']), interval_count: positive.optional() })
    .optional(),
  end_date: moment.optional(),
  metadata: metadata.optional(),
  proration_behavior: prorationBehavior.optional(),
  start_date: moment.optional(),
  trial: flag.optional(),
  trial_end: moment.optional(),
});
type PhaseParams = z.infer<typeof phaseParams>;

export const updateScheduleParams = body({
  phases: z.array(phaseParams).min(1).max(10).optional(),
  end_behavior: z.enum(['release', 'cancel']).optional(),
  metadata: metadata.optional(),
  proration_behavior: prorationBehavior.optional(),
});
export type UpdateSchedule = z.infer<typeof updateScheduleParams>;

function recurringOf(price: Price, duration: PhaseParams['duration']): Price['recurring'] {
  if (price.recurring === null || duration === undefined) return price.recurring;
  return { ...price.recurring, interval: duration.interval, interval_count: duration.interval_count ?? 1 };
}

type Place = { name: string; now: number; at: number };

function startOf(phase: PhaseParams, { name, now, at }: Place): number {
  const start = phase.start_date === 'now' ? now : (phase.start_date ?? at);
  if (start === at || phase.start_date === 'now') return start;
  throw invalid(
    name === 'phases[0]'
      ? 'You can not modify the start date of the current phase.'
      : 'A phase must start when the one before it ends.',
    `${name}[start_date]`,
  );
}

function trialEndOf(phase: PhaseParams, { start, end, name }: { start: number; end: number; name: string }) {
  const { trial, trial_end: given } = phase;
  if (trial === true) return end;
  if (given === undefined || given === 'now') return null;
  if (given < start || given > end)
    throw invalid('The trial must end within its phase.', `${name}[trial_end]`);
  return given;
}

function planPhase(world: World, phase: PhaseParams, place: Place): SchedulePhase {
  const { name, now } = place;
  const items = phase.items.map((item, index) => {
    const param = `${name}[items][${index}]`;
    const price = world.tables.prices.require(item.price, `${param}[price]`);
    requireUncounted(price, item.quantity, `${param}[quantity]`);
    const quantity = isMetered(price) ? null : (item.quantity ?? 1);
    return { price, quantity, metadata: mergeMetadata({}, item.metadata) };
  });
  const first = items[0]?.price;
  if (first === undefined) throw invalid(`Missing required param: ${name}[items].`, name);
  if (phase.end_date !== undefined && phase.duration !== undefined) {
    throw invalid(
      'You may only specify one of these parameters: end_date, duration.',
      `${name}[duration]`,
      'parameters_exclusive',
    );
  }
  const start = startOf(phase, place);
  const named = phase.end_date === 'now' ? now : phase.end_date;
  const end = named ?? addIntervals(start, recurringOf(first, phase.duration), 1);
  if (end <= start) throw invalid('A phase must end after it starts.', `${name}[end_date]`);
  return {
    ...phaseObject({ currency: first.currency, start, end, items }),
    billing_cycle_anchor: phase.billing_cycle_anchor ?? null,
    discounts: (phase.discounts ?? []).map(({ coupon, discount, promotion_code: code }) => ({
      coupon: coupon ?? null,
      discount: discount ?? null,
      promotion_code: code ?? null,
    })),
    metadata: mergeMetadata({}, phase.metadata),
    proration_behavior: phase.proration_behavior ?? 'create_prorations',
    trial_end: trialEndOf(phase, { start, end, name }),
  };
}

/** Phases follow one another; a length is given by `end_date` or `duration` (default: one period). */
export function plannedPhases(
  world: World,
  schedule: SubscriptionSchedule,
  wanted: readonly PhaseParams[],
): SchedulePhase[] {
  const now = world.clock.now();
  const [first] = wanted;
  const isPast = schedule.phases.some(({ start_date: start }) => start === first?.start_date);
  const current = schedule.current_phase?.start_date ?? now;
  let at = isPast && typeof first?.start_date === 'number' ? first.start_date : current;
  return wanted.map((phase, index) => {
    const planned = planPhase(world, phase, { name: `phases[${index}]`, now, at });
    at = planned.end_date;
    return planned;
  });
}
