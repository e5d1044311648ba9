import type { CheckoutSession, Subscription, SubscriptionSchedule } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { daySeconds } from './calendar.ts';
import { expireCheckout } from './checkout.ts';
import { attemptInvoice, changeDunning, dunningOf } from './collect.ts';
import { announceTrialEnd, endTrial, expireIncomplete, renew } from './renew.ts';
import { enterNextPhase } from './schedules.ts';
import { changeSubscription, earliestPeriodEnd, endSubscription, isEnded } from './subscription-changes.ts';

const incompleteSeconds = 23 * 3_600;

/** Something that happens without a request, at a moment (Unix seconds). */
export type Due = {
  at: number;
  run(world: World): void;
};

function retryLatest(world: World, subscription: Subscription): void {
  const invoice = world.tables.invoices.get(subscription.latest_invoice ?? '');
  if (invoice?.status === 'open') attemptInvoice(world, invoice, true);
  else changeDunning(world, subscription.id, { next_retry_at: null });
}

function scheduleOf(world: World, subscription: Subscription): SubscriptionSchedule | undefined {
  const schedule = world.tables.schedules.get(subscription.schedule ?? '');
  return schedule?.status === 'active' ? schedule : undefined;
}

function duesOf(world: World, subscription: Subscription): Due[] {
  const dunning = dunningOf(world, subscription.id);
  const { id, status } = subscription;
  const dues: Due[] = [];
  const add = (at: number | null | undefined, run: (world: World) => void): void => {
    if (at !== null && at !== undefined) dues.push({ at, run });
  };
  // Of things due in the same second the first added runs first: an end before a renewal, a new phase before both.
  const schedule = scheduleOf(world, subscription);
  add(schedule?.current_phase?.end_date, () => {
    if (schedule !== undefined) enterNextPhase(world, schedule);
  });
  add(subscription.cancel_at, () => endSubscription(world, id, 'cancellation_requested'));
  if (status === 'trialing') {
    const end = subscription.trial_end ?? 0;
    if (!dunning.trial_will_end_sent) {
      add(Math.max(end - 3 * daySeconds, subscription.trial_start ?? 0), () =>
        announceTrialEnd(world, subscription),
      );
    }
    add(end, () => endTrial(world, subscription));
  }
  if (status === 'incomplete') {
    add(subscription.created + incompleteSeconds, () => expireIncomplete(world, subscription));
  }
  if (status === 'active' || status === 'past_due' || status === 'unpaid') {
    add(subscription.pause_collection?.resumes_at, () =>
      changeSubscription(world, id, { pause_collection: null }),
    );
    add(earliestPeriodEnd(subscription.items.data), () => renew(world, subscription));
    add(dunning.next_retry_at, () => retryLatest(world, subscription));
  }
  return dues;
}

/** What a subscription does next without a request, if anything. */
export function nextDueOfSubscription(world: World, subscription: Subscription): Due | null {
  if (isEnded(subscription)) return null;
  let next: Due | null = null;
  for (const due of duesOf(world, subscription)) if (next === null || due.at < next.at) next = due;
  return next;
}

export function nextDueOfSession(session: CheckoutSession): Due | null {
  if (session.status !== 'open') return null;
  return { at: session.expires_at, run: (world) => expireCheckout(world, session) };
}
