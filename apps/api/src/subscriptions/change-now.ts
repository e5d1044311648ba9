import type { Stripe } from 'stripe';
import { expandLive, liveAnswer } from './read-live.ts';
import type { LiveAnswer } from './read-live.ts';
import type { PlannedChange } from './plan-change.ts';
import { dropSchedule } from './schedule-steps.ts';
import { askStep } from './stripe-step.ts';
import type { StepContext, StepDeps } from './stripe-step.ts';

/**
 * Changes the items at once, and bills as the change says. A payment that fails leaves the old plan in force
 * (`pending_update`), but where invoices are sent: such a subscription cannot wait for one.
 */
export async function changeNow(
  deps: StepDeps,
  context: StepContext,
  { plan, prorationDate }: { plan: PlannedChange; prorationDate: number | null },
): Promise<LiveAnswer> {
  const { live, items, proration } = plan;
  if (live.schedule !== null) await dropSchedule(deps, context, live.schedule.id);
  const params: Stripe.SubscriptionUpdateParams = {
    items,
    proration_behavior: proration,
    ...(prorationDate === null ? {} : { proration_date: prorationDate }),
    ...(live.collection_method === 'send_invoice'
      ? {}
      : { payment_behavior: 'pending_if_incomplete' as const }),
    expand: expandLive,
  };
  return askStep(deps, context, {
    name: 'update',
    id: live.id,
    params,
    needed: liveAnswer,
    call: (sent, options) => deps.stripe.subscriptions.update(live.id, sent, options),
  });
}
