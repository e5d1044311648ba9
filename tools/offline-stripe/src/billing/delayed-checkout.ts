import { invalid } from '../errors.ts';
import { emit } from '../events/emit.ts';
import type { CheckoutSession, PaymentIntent } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { failInvoice, failInvoiceOf, payInvoice, creditInvoiceOf } from './collect.ts';
import { markPaid, paymentsOf } from './invoice-payments.ts';
import { behaviourOf } from './payment-methods.ts';
import { completeDelayedPayment } from './payments.ts';
import { invoicePurchase } from './purchase-invoice.ts';

type Outcome = 'succeeded' | 'failed';

function completeSubscription(world: World, session: CheckoutSession, outcome: Outcome): void {
  const invoice = world.tables.invoices.get(session.invoice ?? '');
  const [link] = paymentsOf(world, session.invoice ?? '');
  const intent = world.tables.paymentIntents.get(link?.payment.payment_intent ?? '');
  if (invoice?.status !== 'open') return;
  if (intent === undefined) {
    if (outcome === 'succeeded') payInvoice(world, invoice);
    return;
  }
  completeDelayedPayment(world, intent, outcome);
  if (outcome === 'succeeded') markPaid(world, invoice);
  else failInvoice(world, invoice, false);
}

function completePurchase(world: World, session: CheckoutSession, outcome: Outcome): string | null {
  const intent = world.tables.paymentIntents.get(session.payment_intent ?? '');
  if (intent?.status !== 'processing')
    throw invalid('The payment of this Checkout Session is not outstanding.', 'id');
  const done = completeDelayedPayment(world, intent, outcome);
  const plan = world.tables.checkoutPlans.get(session.id);
  if (outcome === 'failed' || plan === undefined) return null;
  const customer = world.tables.customers.get(session.customer ?? '') ?? null;
  return invoicePurchase(world, { session, plan, customer, intent: done });
}

/** The outstanding money of a completed session arrives, or not. */
export function completeDelayedCheckout(
  world: World,
  session: CheckoutSession,
  outcome: Outcome,
): CheckoutSession {
  if (session.status !== 'complete' || session.payment_status !== 'unpaid') {
    throw invalid(
      'Only a completed Checkout Session with payment_status unpaid has a delayed payment.',
      'id',
    );
  }
  if (session.mode === 'subscription') completeSubscription(world, session, outcome);
  const invoice = session.mode === 'payment' ? completePurchase(world, session, outcome) : null;
  const after = world.tables.sessions.update(session, {
    payment_status: outcome === 'succeeded' ? 'paid' : 'unpaid',
    ...(invoice === null ? {} : { invoice }),
  });
  emit(world, `checkout.session.async_payment_${outcome}`, after);
  return after;
}

function sessionOf(world: World, intent: PaymentIntent): CheckoutSession | undefined {
  const links = new Set<string>();
  for (const link of world.tables.invoicePayments.each())
    if (link.payment.payment_intent === intent.id) links.add(link.invoice);
  for (const session of world.tables.sessions.each()) {
    const isOf = session.payment_intent === intent.id || links.has(session.invoice ?? '');
    if (isOf && session.status === 'complete' && session.payment_status === 'unpaid') return session;
  }
  return undefined;
}

/** A bank debit by one of Stripe's test accounts ends as the account says. */
export function completeBankDebit(world: World, intent: PaymentIntent): void {
  const method = world.tables.paymentMethods.get(intent.payment_method ?? '');
  const outcome = behaviourOf(method) === 'fails_later' ? 'failed' : 'succeeded';
  const session = sessionOf(world, intent);
  if (session !== undefined) {
    completeDelayedCheckout(world, session, outcome);
    return;
  }
  const done = completeDelayedPayment(world, intent, outcome);
  if (outcome === 'succeeded') creditInvoiceOf(world, done);
  else failInvoiceOf(world, done);
}
