import { invalid } from '../errors.ts';
import { emit } from '../events/emit.ts';
import { newId } from '../ids.ts';
import {
  invoiceObject,
  invoicePaymentObject,
  lineObject,
  subscriptionOf,
  type BillingReason,
} from '../objects/invoice.ts';
import type {
  Invoice,
  InvoicePayment,
  PaymentIntent,
  Subscription,
  SubscriptionItem,
} from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { openPaymentIntent } from './payments.ts';

export type NewInvoice = {
  id?: string;
  subscription: Subscription;
  items: SubscriptionItem[];
  reason: BillingReason;
  period: { start: number; end: number };
};

/** A draft for the items' current periods. */
export function draftInvoice(world: World, fields: NewInvoice): Invoice {
  const { subscription, items } = fields;
  const id = fields.id ?? newId('in');
  const lines = items.map((item) =>
    lineObject(item, {
      invoice: id,
      period: { start: item.current_period_start, end: item.current_period_end },
      isTrial: subscription.status === 'trialing',
    }),
  );
  const customer = world.tables.customers.get(subscription.customer);
  const invoice = invoiceObject({ ...fields, id, created: world.clock.now(), customer, lines });
  world.tables.invoices.insert(invoice);
  emit(world, 'invoice.created', invoice);
  return invoice;
}

/** Draft → open. */
export function finalizeInvoice(world: World, draft: Invoice): Invoice {
  const now = world.clock.now();
  const sequence = world.tables.invoices.size();
  const invoice = world.tables.invoices.update(draft, {
    status: 'open',
    number: `OFFLINE-${String(sequence).padStart(4, '0')}`,
    effective_at: now,
    hosted_invoice_url: `${world.publicUrl()}/i/${draft.id}`,
    invoice_pdf: `${world.publicUrl()}/i/${draft.id}/pdf`,
    status_transitions: { ...draft.status_transitions, finalized_at: now },
  });
  emit(world, 'invoice.finalized', invoice);
  return invoice;
}

export function paymentsOf(world: World, invoiceId: string): InvoicePayment[] {
  return world.tables.invoicePayments.by(invoiceId);
}

/** Binds a PaymentIntent to an invoice: since API version `2025-03-31.basil` only this object connects the two. */
export function linkPayment(world: World, invoice: Invoice, intent: PaymentIntent): InvoicePayment {
  return world.tables.invoicePayments.insert(invoicePaymentObject(invoice, intent.id, world.clock.now()));
}

/** The PaymentIntent of an open invoice, made when it is first needed. */
export function intentOf(world: World, invoice: Invoice, paymentMethod: string | null): PaymentIntent {
  const known = paymentsOf(world, invoice.id)
    .map((payment) => payment.payment.payment_intent)
    .map((id) => (id === undefined ? undefined : world.tables.paymentIntents.get(id)))
    .find((intent) => intent !== undefined);
  if (known !== undefined) {
    if (paymentMethod === null || known.payment_method === paymentMethod) return known;
    return world.tables.paymentIntents.update(known, { payment_method: paymentMethod });
  }
  const subscriptionId = subscriptionOf(invoice);
  const intent = openPaymentIntent(world, {
    amount: invoice.amount_due,
    currency: invoice.currency,
    customer: invoice.customer,
    paymentMethod,
    metadata: {},
    description: subscriptionId === null ? null : 'Subscription update',
  });
  linkPayment(world, invoice, intent);
  return intent;
}

/** Open → paid. */
export function markPaid(world: World, open: Invoice): Invoice {
  const now = world.clock.now();
  const payments = paymentsOf(world, open.id);
  const invoice = world.tables.invoices.update(open, {
    status: 'paid',
    amount_paid: open.amount_due,
    amount_remaining: 0,
    attempted: true,
    attempt_count: open.amount_due === 0 ? open.attempt_count : open.attempt_count + 1,
    auto_advance: false,
    next_payment_attempt: null,
    status_transitions: { ...open.status_transitions, paid_at: now },
  });
  emit(world, 'invoice.paid', invoice);
  emit(world, 'invoice.payment_succeeded', invoice);
  for (const payment of payments) {
    const paid = world.tables.invoicePayments.update(payment, {
      status: 'paid',
      amount_paid: payment.amount_requested,
      status_transitions: { canceled_at: null, paid_at: now },
    });
    emit(world, 'invoice_payment.paid', paid);
  }
  return invoice;
}

/** An attempt failed; `nextAttempt` is when the next follows, if any does. */
export function markFailed(world: World, open: Invoice, nextAttempt: number | null): Invoice {
  const invoice = world.tables.invoices.update(open, {
    attempted: true,
    attempt_count: open.attempt_count + 1,
    next_payment_attempt: nextAttempt,
  });
  emit(world, 'invoice.payment_failed', invoice);
  return invoice;
}

/** Draft or open → void. */
export function voidInvoice(world: World, invoice: Invoice): Invoice {
  if (invoice.status !== 'open' && invoice.status !== 'uncollectible' && invoice.status !== 'draft') {
    throw invalid(
      'You can only pass in open or uncollectible invoices. This invoice cannot be voided.',
      'id',
    );
  }
  const voided = world.tables.invoices.update(invoice, {
    status: 'void',
    auto_advance: false,
    next_payment_attempt: null,
    status_transitions: { ...invoice.status_transitions, voided_at: world.clock.now() },
  });
  emit(world, 'invoice.voided', voided);
  return voided;
}

export function markUncollectible(world: World, invoice: Invoice): Invoice {
  if (invoice.status !== 'open') {
    throw invalid('This invoice is not open, so it cannot be marked uncollectible.', 'id');
  }
  const uncollectible = world.tables.invoices.update(invoice, {
    status: 'uncollectible',
    auto_advance: false,
    next_payment_attempt: null,
    status_transitions: { ...invoice.status_transitions, marked_uncollectible_at: world.clock.now() },
  });
  emit(world, 'invoice.marked_uncollectible', uncollectible);
  return uncollectible;
}
