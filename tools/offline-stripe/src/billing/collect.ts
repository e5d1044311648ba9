import { subscriptionOf } from '../objects/invoice.ts';
import type { Invoice, Subscription } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { DAY_SECONDS } from './calendar.ts';
import { changeControl, controlOf, RETRIES, RETRY_PAUSE_DAYS } from './controls.ts';
import { finalizeInvoice, intentOf, markFailed, markPaid } from './invoices.ts';
import { attemptPayment } from './payments.ts';
import { changeSubscription, endSubscription } from './subscription-changes.ts';

function paymentMethodFor(world: World, subscription: Subscription | undefined): string | null {
  if (subscription === undefined) return null;
  const customer = world.tables.customers.get(subscription.customer);
  return subscription.default_payment_method ?? customer?.invoice_settings.default_payment_method ?? null;
}

/** The latest invoice decides a subscription's status: paid means `active`. */
function recover(world: World, invoice: Invoice): void {
  const subscription = world.tables.subscriptions.get(subscriptionOf(invoice) ?? '');
  if (subscription === undefined || subscription.latest_invoice !== invoice.id) return;
  if (['canceled', 'incomplete_expired'].includes(subscription.status)) return;
  changeControl(world, subscription.id, { retries_done: 0, next_retry_at: null });
  if (['past_due', 'unpaid', 'incomplete'].includes(subscription.status)) {
    changeSubscription(world, subscription.id, { status: 'active' });
  }
}

/** Collects an open invoice successfully, whatever the subscription's card does: someone paid. */
export function payInvoice(world: World, invoice: Invoice): Invoice {
  const subscription = world.tables.subscriptions.get(subscriptionOf(invoice) ?? '');
  const open = invoice.status === 'draft' ? finalizeInvoice(world, invoice) : invoice;
  if (open.amount_due > 0) {
    attemptPayment(world, intentOf(world, open, paymentMethodFor(world, subscription)), 'succeeded');
  }
  const paid = markPaid(world, open);
  if (subscription !== undefined && subscription.status !== 'canceled') {
    changeControl(world, subscription.id, { failures_left: 0 });
  }
  recover(world, paid);
  return paid;
}

/** After the last retry: canceled, `unpaid`, or left `past_due`, as set. */
function giveUp(world: World, subscription: Subscription): void {
  const { after_last_retry: ending } = controlOf(world, subscription.id);
  changeControl(world, subscription.id, { next_retry_at: null });
  if (ending === 'cancel') endSubscription(world, subscription.id, 'payment_failed');
  else if (ending === 'unpaid' && subscription.status !== 'unpaid') {
    changeSubscription(world, subscription.id, { status: 'unpaid' });
  }
}

/** An attempt on a subscription's invoice failed: `past_due`, and the next retry is planned; the last one ends it. */
export function failInvoice(world: World, invoice: Invoice, isRetry: boolean): void {
  const subscription = world.tables.subscriptions.get(subscriptionOf(invoice) ?? '');
  if (subscription === undefined || subscription.status === 'incomplete') {
    markFailed(world, invoice, null);
    return;
  }
  const control = controlOf(world, subscription.id);
  const retriesDone = isRetry ? control.retries_done + 1 : control.retries_done;
  const pauseDays = RETRY_PAUSE_DAYS[Math.min(retriesDone, RETRY_PAUSE_DAYS.length - 1)] ?? 7;
  const isLast = retriesDone >= RETRIES;
  const planned =
    isRetry || control.next_retry_at === null
      ? world.clock.now() + pauseDays * DAY_SECONDS
      : control.next_retry_at;
  const nextAttempt = isLast ? null : planned;
  changeControl(world, subscription.id, { retries_done: retriesDone, next_retry_at: nextAttempt });
  markFailed(world, invoice, nextAttempt);
  const current =
    subscription.status === 'active' || subscription.status === 'trialing'
      ? changeSubscription(world, subscription.id, { status: 'past_due' })
      : subscription;
  if (isLast) giveUp(world, current);
}

/** One automatic attempt: succeeds unless the subscription's card is set to fail or there is no card. */
export function attemptInvoice(world: World, open: Invoice, isRetry = false): void {
  const subscription = world.tables.subscriptions.get(subscriptionOf(open) ?? '');
  if (open.amount_due === 0) {
    recover(world, markPaid(world, open));
    return;
  }
  const method = paymentMethodFor(world, subscription);
  const failuresLeft = subscription === undefined ? 0 : controlOf(world, subscription.id).failures_left;
  const fails = failuresLeft > 0 || method === null;
  if (subscription !== undefined && failuresLeft > 0) {
    changeControl(world, subscription.id, { failures_left: failuresLeft - 1 });
  }
  attemptPayment(world, intentOf(world, open, method), fails ? 'failed' : 'succeeded');
  if (fails) failInvoice(world, open, isRetry);
  else recover(world, markPaid(world, open));
}
