import { invalid } from '../errors.ts';
import { emit } from '../events/emit.ts';
import { cardObject, customerObject } from '../objects/customer.ts';
import type { CheckoutPlan } from '../state/private-rows.ts';
import type { CheckoutSession, Customer, PaymentIntent } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { daySeconds } from './calendar.ts';
import { failInvoice, payInvoice } from './collect.ts';
import { markPaid, paymentsOf } from './invoices.ts';
import { attemptPayment, completeDelayedPayment, openPaymentIntent } from './payments.ts';
import { startSubscription } from './start-subscription.ts';

function payerOf(world: World, session: CheckoutSession): Customer | null {
  if (session.customer !== null) return world.tables.customers.get(session.customer) ?? null;
  if (session.mode !== 'subscription' && session.customer_creation !== 'always') return null;
  const customer = world.tables.customers.insert(
    customerObject({ created: world.clock.now(), email: session.customer_email }),
  );
  emit(world, 'customer.created', customer);
  return customer;
}

function attachCard(world: World, customer: Customer | null): string {
  const card = world.tables.paymentMethods.insert(
    cardObject({ created: world.clock.now(), customer: customer?.id ?? null }),
  );
  if (customer !== null) emit(world, 'payment_method.attached', card);
  return card.id;
}

function trialEndOf(plan: CheckoutPlan, now: number): number | null {
  return plan.trial_end ?? (plan.trial_days === null ? null : now + plan.trial_days * daySeconds);
}

type Paying = {
  session: CheckoutSession;
  plan: CheckoutPlan;
  customer: Customer | null;
  /** By bank debit: the money arrives later, or not. */
  isDelayed: boolean;
};

function collect(world: World, paying: Paying, paymentMethod: string | null): PaymentIntent {
  const { session, plan, customer, isDelayed } = paying;
  const intent = openPaymentIntent(world, {
    amount: session.amount_total ?? 0,
    currency: session.currency ?? 'usd',
    customer: customer?.id ?? null,
    paymentMethod,
    metadata: session.mode === 'payment' ? plan.payment_intent_metadata : {},
    description: session.mode === 'payment' ? plan.description : 'Subscription creation',
  });
  return attemptPayment(world, intent, isDelayed ? 'processing' : 'succeeded');
}

function subscribe(world: World, paying: Paying): Partial<CheckoutSession> {
  const { session, plan, customer } = paying;
  if (customer === null) throw invalid('The session has no customer.', 'customer');
  const trialEnd = trialEndOf(plan, world.clock.now());
  const isFree = trialEnd !== null || session.amount_total === 0;
  const paymentMethod = isFree && !plan.collects_payment_method ? null : attachCard(world, customer);
  const intent = isFree ? null : collect(world, paying, paymentMethod);
  const subscription = startSubscription(world, {
    customer: customer.id,
    items: plan.line_items.flatMap((line) =>
      line.price?.recurring ? [{ price: line.price, quantity: line.quantity ?? 1 }] : [],
    ),
    paymentMethod,
    trialEnd,
    missingPaymentMethod: plan.missing_payment_method,
    metadata: plan.subscription_metadata,
    description: plan.description,
    collectionMethod: 'charge_automatically',
    payment: { kind: paying.isDelayed && !isFree ? 'processing' : 'paid', intent },
  });
  return {
    subscription: subscription.id,
    invoice: subscription.latest_invoice,
    payment_status: isFree ? 'no_payment_required' : paying.isDelayed ? 'unpaid' : 'paid',
  };
}

function buyOnce(world: World, paying: Paying): Partial<CheckoutSession> {
  const { session, customer, isDelayed } = paying;
  if (session.amount_total === 0) return { payment_status: 'no_payment_required' };
  const intent = collect(world, paying, attachCard(world, customer));
  return { payment_intent: intent.id, payment_status: isDelayed ? 'unpaid' : 'paid' };
}

/** The payer presses *Pay*. `isDelayed`: by bank debit, whose money is outstanding until it is completed or fails. */
export function payCheckout(world: World, session: CheckoutSession, isDelayed: boolean): CheckoutSession {
  if (session.status !== 'open')
    throw invalid(`This Checkout Session is ${session.status}; only an open one can be paid.`, 'id');
  const plan = world.tables.checkoutPlans.get(session.id);
  if (plan === undefined) throw invalid('This Checkout Session has no line items.', 'id');
  const customer = payerOf(world, session);
  const paying = { session, plan, customer, isDelayed };
  const outcome = session.mode === 'subscription' ? subscribe(world, paying) : buyOnce(world, paying);
  const email = customer?.email ?? session.customer_email ?? 'payer@example.com';
  const completed = world.tables.sessions.update(session, {
    ...outcome,
    status: 'complete',
    url: null,
    customer: customer?.id ?? null,
    customer_details: {
      address: null,
      business_name: null,
      email,
      individual_name: null,
      name: customer?.name ?? null,
      phone: null,
      tax_exempt: 'none',
      tax_ids: [],
    },
  });
  emit(world, 'checkout.session.completed', completed);
  return completed;
}

function completeDelayedSubscription(
  world: World,
  session: CheckoutSession,
  outcome: 'succeeded' | 'failed',
): void {
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

/** The outstanding money of a completed session arrives, or not. */
export function completeDelayedCheckout(
  world: World,
  session: CheckoutSession,
  outcome: 'succeeded' | 'failed',
): CheckoutSession {
  if (session.status !== 'complete' || session.payment_status !== 'unpaid') {
    throw invalid(
      'Only a completed Checkout Session with payment_status unpaid has a delayed payment.',
      'id',
    );
  }
  if (session.mode === 'subscription') completeDelayedSubscription(world, session, outcome);
  else {
    const intent = world.tables.paymentIntents.get(session.payment_intent ?? '');
    if (intent?.status !== 'processing')
      throw invalid('The payment of this Checkout Session is not outstanding.', 'id');
    completeDelayedPayment(world, intent, outcome);
  }
  const after = world.tables.sessions.update(session, {
    payment_status: outcome === 'succeeded' ? 'paid' : 'unpaid',
  });
  emit(world, `checkout.session.async_payment_${outcome}`, after);
  return after;
}

/** Open → expired. */
export function expireCheckout(world: World, session: CheckoutSession): CheckoutSession {
  if (session.status !== 'open') {
    throw invalid(
      `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of \`${session.status}\`.`,
    );
  }
  const expired = world.tables.sessions.update(session, { status: 'expired', url: null });
  emit(world, 'checkout.session.expired', expired);
  return expired;
}
