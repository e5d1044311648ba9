import { scheduleOrNull } from '@billing/domain';
import type { Planned } from '@billing/sync';
import { isOutcomeKnown } from '../checkout/call-stripe.ts';
import type { PlannedChange } from './plan-change.ts';
import { waitsForPayment } from './read-live.ts';
import type { Schedule } from './read-live.ts';
import { currentPhase, hasLaterPhase, planPhases } from './schedule-phases.ts';
import { makeSchedule, planSchedule, dropSchedule, voidInvoice } from './schedule-steps.ts';
import type { StepContext, StepDeps } from './stripe-step.ts';

/** Gives up what waits for its payment: a change, or a resumption. Null: nothing does. */
async function dropPendingPayment(
  deps: StepDeps,
  context: StepContext,
  { live }: Pick<PlannedChange, 'live'>,
): Promise<Planned | null> {
  if (!waitsForPayment(live)) return null;
  const { latestInvoice: invoice } = live;
  if (invoice?.status === 'open') await voidInvoice(deps, context, invoice.id);
  return { pendingPayment: null };
}

/** Gives up what is to change later, and what waits for its payment. Null: there is nothing. */
export async function dropPendingChange(
  deps: StepDeps,
  context: StepContext,
  plan: Pick<PlannedChange, 'live'>,
): Promise<Planned | null> {
  const { schedule: managing } = plan.live;
  const isScheduled = managing !== null && hasLaterPhase(managing);
  if (isScheduled) await dropSchedule(deps, context, managing.id);
  const payment = await dropPendingPayment(deps, context, plan);
  return isScheduled ? { ...payment, schedule: null } : payment;
}

/**
 * Changes the items at the end of the period, by a schedule. One that manages the subscription already is given other phases,
 * so that there is no moment without the one or the other. A new one that cannot be planned is taken off again; until
 * then, and if that fails too, it changes nothing and goes with the period.
 */
export async function changeLater(
  deps: StepDeps,
  context: StepContext,
  plan: PlannedChange,
): Promise<Planned> {
  const payment = await dropPendingPayment(deps, context, plan);
  const { live } = plan;
  const managing = live.schedule;
  const planned = async (one: Schedule): Promise<Planned> => ({
    ...payment,
    schedule: scheduleOrNull.parse(await planOne(deps, context, { plan, managing: one })),
  });
  if (managing !== null && currentPhase(managing) !== null) return planned(managing);
  if (managing !== null) await dropSchedule(deps, context, managing.id);
  const made = await makeSchedule(deps, context, live.id);
  try {
    return await planned(made);
  } catch (error) {
    // Where it is not known what Stripe did, the same request finds this schedule and plans it.
    if (isOutcomeKnown(error))
      await dropSchedule(deps, context, made.id).catch((cause: unknown) =>
        deps.logger.warn('schedule_not_released', { schedule_id: made.id, error: cause }),
      );
    throw error;
  }
}

async function planOne(
  deps: StepDeps,
  context: StepContext,
  { plan, managing }: { plan: PlannedChange; managing: Schedule },
): Promise<Schedule> {
  const current = currentPhase(managing);
  if (current === null) throw new Error('a schedule of a subscription has no current phase');
  return planSchedule(deps, context, { scheduleId: managing.id, params: planPhases(plan, current) });
}
