import { emit } from '../events/emit.ts';
import { subscriptionOf } from '../objects/invoice.ts';
import type { DunningState, HeldChange } from '../state/private-rows.ts';
import type { Invoice, PaymentIntent, Subscription } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { daySeconds } from './calendar.ts';
import { heldBy, makeHeldChange } from './held-change.ts';
import { creditInvoice, intentOf, invoicePaidBy, markPaid } from './invoice-payments.ts';
import { finalizeInvoice, markFailed } from './invoices.ts';
import { behaviourOf, isDeclined } from './payment-methods.ts';
import { attemptPayment } from './payments.ts';
import { changeSubscription, endSubscription, isEnded } from './subscription-changes.ts';

/** Three retries in about three weeks; see "Time" in README.md. */
const retryPauseDays = [3, 5, 7, 7] as const;
const retries = 3;

/** `failures_left` of a subscription that fails until someone pays: more attempts than are ever made. */
export const untilPaid = 1_000_000;

export function dunningOf(world: World, subscriptionId: string): DunningState {
  return (
    world.tables.subscriptionControls.get(subscriptionId) ?? {
      id: subscriptionId,
      failures_left: 0,
      after_last_retry: 'cancel',
      retries_done: 0,
      next_retry_at: null,
      trial_will_end_sent: false,
    }
  );
}

export function changeDunning(world: World, subscriptionId: string, patch: Partial<DunningState>): void {
  world.tables.subscriptionControls.insert({ ...dunningOf(world, subscriptionId), ...patch });
}

function billedSubscription(world: World, invoice: Invoice): Subscription | undefined {
  return world.tables.subscriptions.get(subscriptionOf(invoice) ?? '');
}

function paymentMethodFor(world: World, invoice: Invoice): string | null {
  const subscription = billedSubscription(world, invoice);
  const customer = world.tables.customers.get(invoice.customer ?? '');
  return (
    invoice.default_payment_method ??
    subscription?.default_payment_method ??
    customer?.invoice_settings.default_payment_method ??
    null
  );
}

/** The latest invoice decides a subscription's status: paid means `active`. */
export function recover(world: World, invoice: Invoice): void {
  const subscription = billedSubscription(world, invoice);
  if (subscription === undefined || subscription.latest_invoice !== invoice.id) return;
  if (isEnded(subscription)) return;
  changeDunning(world, subscription.id, { retries_done: 0, next_retry_at: null });
  const held = heldBy(world, invoice);
  if (held !== undefined) makeHeldChange(world, held);
  if (['past_due', 'unpaid', 'incomplete'].includes(subscription.status)) {
    changeSubscription(world, subscription.id, { status: 'active' });
  }
}

/** Collects an open invoice successfully, whatever the subscription's card does: someone paid. */
export function payInvoice(world: World, invoice: Invoice): Invoice {
  const subscription = billedSubscription(world, invoice);
  const open = invoice.status === 'draft' ? finalizeInvoice(world, invoice) : invoice;
  if (open.amount_remaining > 0) {
    attemptPayment(world, intentOf(world, open, paymentMethodFor(world, open)), 'succeeded');
  }
  const paid = markPaid(world, open);
  if (subscription !== undefined && subscription.status !== 'canceled') {
    changeDunning(world, subscription.id, { failures_left: 0 });
  }
  recover(world, paid);
  return paid;
}

/** After the last retry: canceled, `unpaid`, or left `past_due`, as set. */
function giveUp(world: World, subscription: Subscription): void {
  const { after_last_retry: ending } = dunningOf(world, subscription.id);
  changeDunning(world, subscription.id, { next_retry_at: null });
  if (ending === 'cancel') endSubscription(world, subscription.id, 'payment_failed');
  else if (ending === 'unpaid' && subscription.status !== 'unpaid') {
    changeSubscription(world, subscription.id, { status: 'unpaid' });
  }
}

/** Nothing is retried; a resumption that goes by the attempt is made all the same. */
function failHeld(world: World, invoice: Invoice, held: HeldChange): void {
  markFailed(world, invoice, null);
  changeDunning(world, held.id, { next_retry_at: null });
  if (held.kind !== 'attempted_resumption') return;
  makeHeldChange(world, held);
  changeSubscription(world, held.id, { status: 'past_due' });
}

/** An attempt on a subscription's invoice failed: `past_due`, and the next retry is planned; the last one ends it. */
export function failInvoice(world: World, invoice: Invoice, isRetry: boolean): void {
  const subscription = billedSubscription(world, invoice);
  const held = heldBy(world, invoice);
  if (held !== undefined) {
    failHeld(world, invoice, held);
    return;
  }
  if (subscription === undefined || subscription.status === 'incomplete') {
    markFailed(world, invoice, null);
    return;
  }
  const { id, status } = subscription;
  const dunning = dunningOf(world, id);
  const retriesDone = isRetry ? dunning.retries_done + 1 : dunning.retries_done;
  const pauseDays = retryPauseDays[Math.min(retriesDone, retryPauseDays.length - 1)] ?? 7;
  const isLast = retriesDone >= retries;
  const planned =
    isRetry || dunning.next_retry_at === null
      ? world.clock.now() + pauseDays * daySeconds
      : dunning.next_retry_at;
  const nextAttempt = isLast ? null : planned;
  changeDunning(world, id, { retries_done: retriesDone, next_retry_at: nextAttempt });
  markFailed(world, invoice, nextAttempt);
  const current =
    status === 'active' || status === 'trialing'
      ? changeSubscription(world, id, { status: 'past_due' })
      : subscription;
  if (isLast) giveUp(world, current);
}

/** One automatic attempt: succeeds unless the subscription's card is set to fail or there is no card. */
export function attemptInvoice(world: World, open: Invoice, isRetry = false): void {
  const subscription = billedSubscription(world, open);
  if (open.amount_due === 0) {
    recover(world, markPaid(world, open));
    return;
  }
  const method = paymentMethodFor(world, open);
  const failuresLeft = subscription === undefined ? 0 : dunningOf(world, subscription.id).failures_left;
  const fails = failuresLeft > 0 || method === null || isDeclined(world, method);
  if (subscription !== undefined && failuresLeft > 0) {
    changeDunning(world, subscription.id, { failures_left: failuresLeft - 1 });
  }
  attemptPayment(world, intentOf(world, open, method), fails ? 'failed' : 'succeeded');
  if (fails) failInvoice(world, open, isRetry);
  else recover(world, markPaid(world, open));
}

/** False where the payer's bank would ask the payer first. */
export function isPayableAtOnce(world: World, invoice: Invoice): boolean {
  const method = world.tables.paymentMethods.get(paymentMethodFor(world, invoice) ?? '');
  return behaviourOf(method) !== 'needs_authentication';
}

/** One attempt while the payer is there: their bank may ask them. */
export function attemptOnSession(world: World, open: Invoice): void {
  const method = paymentMethodFor(world, open);
  if (method !== null && !isPayableAtOnce(world, open)) payWith(world, open, method);
  else attemptInvoice(world, open);
}

/** Pays an open invoice with a payment method of the payer's choice; true unless it is declined. */
export function payWith(world: World, open: Invoice, method: string): boolean {
  const intent = intentOf(world, open, method);
  const behaviour = behaviourOf(world.tables.paymentMethods.get(method));
  if (behaviour === 'is_declined') {
    attemptPayment(world, intent, 'failed');
    failInvoice(world, open, false);
    return false;
  }
  if (behaviour === 'takes_time' || behaviour === 'fails_later') attemptPayment(world, intent, 'processing');
  else if (behaviour === 'needs_authentication') {
    attemptPayment(world, intent, 'requires_action');
    emit(world, 'invoice.payment_action_required', open);
    return false;
  } else {
    attemptPayment(world, intent, 'succeeded');
    recover(world, markPaid(world, open));
  }
  return true;
}

/** A payment has succeeded outside an attempt on its invoice: the invoice is paid by it, in part or whole. */
export function creditInvoiceOf(world: World, intent: PaymentIntent): void {
  const invoice = invoicePaidBy(world, intent.id);
  if (invoice?.status !== 'open') return;
  const after = creditInvoice(world, invoice, intent);
  if (after.status === 'paid') recover(world, after);
}

/** A processing payment has failed: so has the attempt on its invoice. */
export function failInvoiceOf(world: World, intent: PaymentIntent): void {
  const invoice = invoicePaidBy(world, intent.id);
  if (invoice?.status === 'open') failInvoice(world, invoice, false);
}
