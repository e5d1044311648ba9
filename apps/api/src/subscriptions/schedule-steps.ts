import { id } from '@billing/domain';
import { z } from 'zod';
import { schedule } from './read-live.ts';
import type { Schedule } from './read-live.ts';
import { askStep } from './stripe-step.ts';
import type { StepContext, StepDeps } from './stripe-step.ts';
import type { SchedulePlan } from './schedule-phases.ts';

const named = z.object({ id });

/** Takes a schedule off its subscription, which goes on as it is. An end that the schedule has set stays. */
export async function dropSchedule(deps: StepDeps, context: StepContext, scheduleId: string): Promise<void> {
  await askStep(deps, context, {
    name: 'release',
    id: scheduleId,
    params: { preserve_cancel_date: true },
    needed: named,
    call: (params, options) => deps.stripe.subscriptionSchedules.release(scheduleId, params, options),
  });
}

/** A schedule that has what the subscription has now, and ends with its period. */
export const makeSchedule = (
  deps: StepDeps,
  context: StepContext,
  subscriptionId: string,
): Promise<Schedule> =>
  askStep(deps, context, {
    name: 'schedule',
    id: subscriptionId,
    params: { from_subscription: subscriptionId },
    needed: schedule,
    call: (params, options) => deps.stripe.subscriptionSchedules.create(params, options),
  });

/** Gives a schedule other phases: all at once, so that no half of them ever counts. */
export const planSchedule = (
  deps: StepDeps,
  context: StepContext,
  { scheduleId, params }: { scheduleId: string; params: SchedulePlan },
): Promise<Schedule> =>
  askStep(deps, context, {
    name: 'plan',
    id: scheduleId,
    params,
    needed: schedule,
    call: (sent, options) => deps.stripe.subscriptionSchedules.update(scheduleId, sent, options),
  });

/** Voids the invoice that a change waits for, which gives the change up. */
export async function voidInvoice(deps: StepDeps, context: StepContext, invoiceId: string): Promise<void> {
  await askStep(deps, context, {
    name: 'void',
    id: invoiceId,
    params: {},
    needed: named,
    call: (params, options) => deps.stripe.invoices.voidInvoice(invoiceId, params, options),
  });
}
