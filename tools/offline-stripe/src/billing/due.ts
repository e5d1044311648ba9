import { emit } from '../events/emit.ts';
import { isMetered } from '../objects/catalog.ts';
import type {
  CheckoutSession,
  Invoice,
  PaymentIntent,
  PaymentMethod,
  Subscription,
  SubscriptionSchedule,
} from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { daySeconds } from './calendar.ts';
import { authorizationSeconds, expireAuthorization } from './capture.ts';
import { expireCheckout } from './checkout.ts';
import { attemptInvoice, changeDunning, dunningOf, payInvoice } from './collect.ts';
import { completeBankDebit } from './delayed-checkout.ts';
import { expireHeldChange, giveUpHeldChange } from './hold-change.ts';
import { changeLines, finalizeInvoice } from './invoices.ts';
import { recount } from './meters.ts';
import { announceTrialEnd, billItems, endTrial, expireIncomplete, renew } from './renew.ts';
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

/** When an invoice that was sent should have been paid. */
function unpaidDueDate(world: World, subscription: Subscription): number | null {
  const invoice = world.tables.invoices.get(subscription.latest_invoice ?? '');
  return invoice?.status === 'open' ? invoice.due_date : null;
}

function scheduleOf(world: World, subscription: Subscription): SubscriptionSchedule | undefined {
  const schedule = world.tables.schedules.get(subscription.schedule ?? '');
  return schedule?.status === 'active' ? schedule : undefined;
}

/** Ends a subscription at its time: what its meters counted until then is billed. */
function endBilled(world: World, subscription: Subscription): void {
  if (subscription.items.data.some(({ price }) => isMetered(price)))
    billItems(world, subscription, { items: [], reason: 'subscription_cycle', isLast: true });
  endSubscription(world, subscription.id, 'cancellation_requested');
}

function duesOf(world: World, subscription: Subscription): Due[] {
  const dunning = dunningOf(world, subscription.id);
  const { id, status } = subscription;
  const dues: Due[] = [];
  const add = (at: number | null | undefined, run: (world: World) => void): void => {
    if (at !== null && at !== undefined) dues.push({ at, run });
  };
  const held = world.tables.heldChanges.get(id);
  add(held?.expires_at, () => {
    if (held !== undefined) expireHeldChange(world, held);
  });
  // Of things due in the same second the first added runs first: an end before a renewal, a new phase before both.
  const schedule = scheduleOf(world, subscription);
  add(schedule?.current_phase?.end_date, () => {
    if (schedule !== undefined) enterNextPhase(world, schedule);
  });
  add(subscription.pause_collection?.resumes_at, () =>
    changeSubscription(world, id, { pause_collection: null }),
  );
  add(subscription.cancel_at, () => endBilled(world, subscription));
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
    add(earliestPeriodEnd(subscription.items.data), () => renew(world, subscription));
    add(dunning.next_retry_at, () => retryLatest(world, subscription));
  }
  if (status === 'active' && subscription.collection_method === 'send_invoice') {
    add(unpaidDueDate(world, subscription), () => changeSubscription(world, id, { status: 'past_due' }));
  }
  return dues;
}

/** What a subscription does next without a request, if anything. */
export function nextDueOfSubscription(world: World, subscription: Subscription): Due | null {
  if (isEnded(subscription)) {
    const held = world.tables.heldChanges.get(subscription.id);
    const at = subscription.ended_at ?? world.clock.now();
    return held === undefined ? null : { at, run: () => giveUpHeldChange(world, held.id) };
  }
  let next: Due | null = null;
  for (const due of duesOf(world, subscription)) if (next === null || due.at < next.at) next = due;
  return next;
}

/** When a bank debit's money arrives, as with Stripe's test accounts: within seconds, or after three minutes. */
function arrivalSeconds(method: PaymentMethod): number {
  return method.sepa_debit?.last4?.startsWith('3204') === true ? 180 : 2;
}

/** What happens to a payment by itself: a debit's money arrives or does not, an authorisation is not used in time. */
export function nextDueOfPayment(world: World, intent: PaymentIntent): Due | null {
  const charge = world.tables.charges.get(intent.latest_charge ?? '');
  if (charge === undefined) return null;
  if (intent.status === 'requires_capture')
    return { at: charge.created + authorizationSeconds, run: () => expireAuthorization(world, intent) };
  const method = world.tables.paymentMethods.get(intent.payment_method ?? '');
  if (intent.status !== 'processing' || method?.type !== 'sepa_debit') return null;
  return { at: charge.created + arrivalSeconds(method), run: () => completeBankDebit(world, intent) };
}

/** A draft with `automatically_finalizes_at` becomes final and is collected. */
export function nextDueOfInvoice(invoice: Invoice): Due | null {
  const at = invoice.automatically_finalizes_at;
  if (invoice.status !== 'draft' || at === null) return null;
  return {
    at,
    run: (world) => {
      const counted = changeLines(world, invoice, recount(world, invoice));
      const open = finalizeInvoice(world, counted);
      if (open.amount_due === 0) payInvoice(world, open);
      else if (open.collection_method === 'charge_automatically') attemptInvoice(world, open);
      else emit(world, 'invoice.sent', open);
    },
  };
}

export function nextDueOfSession(session: CheckoutSession): Due | null {
  if (session.status !== 'open') return null;
  return { at: session.expires_at, run: (world) => expireCheckout(world, session) };
}
