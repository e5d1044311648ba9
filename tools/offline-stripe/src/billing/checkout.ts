import { cardDeclined, invalid } from '../errors.ts';
import { emit } from '../events/emit.ts';
import { customerObject } from '../objects/customer.ts';
import { cardObject } from '../objects/payment-method.ts';
import type { CheckoutPlan } from '../state/private-rows.ts';
import type { CheckoutSession, Customer, PaymentIntent, PaymentMethod } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { daySeconds } from './calendar.ts';
import { redeemablesOfPlan } from './checkout-discounts.ts';
import { chooseLines, type LineChoice } from './checkout-lines.ts';
import { disputeAsTheCardSays } from './confirm-payment.ts';
import { redeemCoupon } from './discounts.ts';
import { customerDetails, saveDetails, type Payer } from './payer-details.ts';
import { attachMethod, behaviourOf } from './payment-methods.ts';
import { attemptPayment, openPaymentIntent, type PaymentOutcome } from './payments.ts';
import { invoicePurchase } from './purchase-invoice.ts';
import { startSubscription } from './start-subscription.ts';

function payerOf(world: World, session: CheckoutSession, email: string | undefined): Customer | null {
  if (session.customer !== null) return world.tables.customers.get(session.customer) ?? null;
  const needsCustomer =
    session.mode === 'subscription' ||
    session.customer_creation === 'always' ||
    session.invoice_creation?.enabled === true;
  if (!needsCustomer) return null;
  const customer = world.tables.customers.insert(
    customerObject({ created: world.clock.now(), email: session.customer_email ?? email ?? null }),
  );
  emit(world, 'customer.created', customer);
  return customer;
}

type Paying = {
  session: CheckoutSession;
  plan: CheckoutPlan;
  customer: Customer | null;
  /** By bank debit: the money arrives later, or not. */
  isDelayed: boolean;
  /** What the payer pays with; absent: a new test card. */
  method: PaymentMethod | undefined;
};

function methodOf(world: World, { customer, method, session, plan }: Paying): string {
  const used =
    method ?? world.tables.paymentMethods.insert(cardObject({ created: world.clock.now(), customer: null }));
  const isKept = session.mode === 'subscription' || method === undefined || plan.payment?.setup_future_usage;
  return customer === null || !isKept ? used.id : attachMethod(world, used, customer.id).id;
}

function outcomeOf({ plan, session, isDelayed }: Paying): PaymentOutcome {
  if (isDelayed) return 'processing';
  return session.mode === 'payment' && plan.payment?.capture_method === 'manual' ? 'authorized' : 'succeeded';
}

/** What the payer pays: less their credit, in a subscription, as its first invoice takes that up. */
function dueOf({ session, customer }: Paying): number {
  const total = session.amount_total ?? 0;
  const isSame = customer?.currency === null || customer?.currency === session.currency;
  const balance = session.mode === 'subscription' && isSame ? (customer?.balance ?? 0) : 0;
  return Math.max(0, total + balance);
}

function collect(world: World, paying: Paying, paymentMethod: string): PaymentIntent {
  const { session, plan, customer } = paying;
  const isOnce = session.mode === 'payment';
  const { payment } = plan;
  const intent = openPaymentIntent(world, {
    amount: dueOf(paying),
    currency: session.currency ?? 'usd',
    customer: customer?.id ?? null,
    paymentMethod,
    metadata: isOnce ? plan.payment_intent_metadata : {},
    description: isOnce ? plan.description : 'Subscription creation',
    methodTypes: session.payment_method_types,
    ...(isOnce
      ? {
          captureMethod: payment?.capture_method ?? 'automatic_async',
          receiptEmail: payment?.receipt_email ?? null,
          setupFutureUsage: payment?.setup_future_usage ?? null,
          shipping: payment?.shipping ?? null,
          statementDescriptor: payment?.statement_descriptor ?? null,
        }
      : {}),
  });
  if (behaviourOf(world.tables.paymentMethods.get(paymentMethod)) === 'is_declined') {
    const failed = attemptPayment(world, intent, 'failed');
    throw cardDeclined({ charge: failed.latest_charge, payment_intent: failed });
  }
  const paid = attemptPayment(world, intent, outcomeOf(paying));
  if (paid.status === 'succeeded') disputeAsTheCardSays(world, paid);
  return paid;
}

function subscribe(world: World, paying: Paying): Partial<CheckoutSession> {
  const { session, plan, customer } = paying;
  if (customer === null) throw invalid('The session has no customer.', 'customer');
  const trialEnd =
    plan.trial_end ?? (plan.trial_days === null ? null : world.clock.now() + plan.trial_days * daySeconds);
  const isFree = dueOf(paying) === 0;
  const paymentMethod = isFree && !plan.collects_payment_method ? null : methodOf(world, paying);
  const intent = isFree || paymentMethod === null ? null : collect(world, paying, paymentMethod);
  const bought = plan.line_items.flatMap(({ price, quantity }) =>
    price === null ? [] : [{ price, quantity: quantity ?? 1 }],
  );
  const subscription = startSubscription(world, {
    customer: customer.id,
    items: bought.filter(({ price }) => price.type === 'recurring'),
    extras: bought.filter(({ price }) => price.type === 'one_time'),
    discounts: redeemablesOfPlan(world, paying),
    hasAutomaticTax: session.automatic_tax.enabled,
    checkoutSession: session.id,
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
  const { session, plan, customer } = paying;
  const discounts = redeemablesOfPlan(world, paying);
  const isFree = session.amount_total === 0;
  const intent = isFree ? null : collect(world, paying, methodOf(world, paying));
  for (const discount of discounts)
    redeemCoupon(world, discount, { customer: customer?.id ?? null, checkoutSession: session.id });
  if (intent === null) return { payment_status: 'no_payment_required' };
  const isPaid = intent.status === 'succeeded';
  const invoice = isPaid ? invoicePurchase(world, { session, plan, customer, intent }) : null;
  return { payment_intent: intent.id, payment_status: isPaid ? 'paid' : 'unpaid', invoice };
}

export type PayOptions = {
  isDelayed: boolean;
  method?: PaymentMethod | undefined;
  choices?: readonly LineChoice[];
  payer?: Payer;
};

/** The payer presses *Pay*. `isDelayed`: by bank debit, whose money is outstanding until it is completed or fails. */
export function payCheckout(world: World, opened: CheckoutSession, options: PayOptions): CheckoutSession {
  if (opened.status !== 'open')
    throw invalid(`This Checkout Session is ${opened.status}; only an open one can be paid.`, 'id');
  const planned = world.tables.checkoutPlans.get(opened.id);
  if (planned === undefined) throw invalid('This Checkout Session has no line items.', 'id');
  const { session, plan } = chooseLines(world, { session: opened, plan: planned }, options.choices ?? []);
  const customer = payerOf(world, session, options.payer?.email);
  const paying = { session, plan, customer, isDelayed: options.isDelayed, method: options.method };
  const outcome = session.mode === 'subscription' ? subscribe(world, paying) : buyOnce(world, paying);
  const paid = { session, plan, customer, method: options.method, payer: options.payer ?? {} };
  saveDetails(world, paid);
  const completed = world.tables.sessions.update(session, {
    ...outcome,
    status: 'complete',
    url: null,
    customer: customer?.id ?? null,
    customer_details: customerDetails(paid),
    automatic_tax: session.automatic_tax.enabled
      ? { ...session.automatic_tax, status: 'complete' }
      : session.automatic_tax,
  });
  emit(world, 'checkout.session.completed', completed);
  return completed;
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
