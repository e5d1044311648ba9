import { emit } from '../events/emit.ts';
import { invoicePaymentObject, subscriptionOf } from '../objects/invoice.ts';
import type { Invoice, InvoicePayment, PaymentIntent } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { openPaymentIntent } from './payments.ts';

export function paymentsOf(world: World, invoiceId: string): InvoicePayment[] {
  return world.tables.invoicePayments.by(invoiceId);
}

/** Binds a PaymentIntent to an invoice: since API version `2025-03-31.basil` only this object connects the two. */
export function linkPayment(
  world: World,
  invoice: Invoice,
  intent: PaymentIntent,
  isDefault = true,
): InvoicePayment {
  const payment = { intent: intent.id, amount: Math.min(intent.amount, invoice.amount_remaining), isDefault };
  return world.tables.invoicePayments.insert(invoicePaymentObject(invoice, payment, world.clock.now()));
}

/** The invoice that a PaymentIntent pays. */
export function invoicePaidBy(world: World, intentId: string): Invoice | undefined {
  for (const link of world.tables.invoicePayments.each()) {
    if (link.payment.payment_intent === intentId) return world.tables.invoices.get(link.invoice);
  }
  return undefined;
}

function defaultIntentOf(world: World, invoice: Invoice): PaymentIntent | undefined {
  return paymentsOf(world, invoice.id)
    .filter((link) => link.is_default && link.status === 'open')
    .map((link) => world.tables.paymentIntents.get(link.payment.payment_intent ?? ''))
    .find((intent) => intent !== undefined && intent.status !== 'canceled');
}

/** The PaymentIntent that collects an open invoice, made when it is first needed. */
export function intentOf(world: World, invoice: Invoice, paymentMethod: string | null): PaymentIntent {
  const known = defaultIntentOf(world, invoice);
  if (known !== undefined) {
    // Other payments may have paid a part since.
    const amount = invoice.amount_remaining;
    if (known.amount === amount && (paymentMethod === null || known.payment_method === paymentMethod))
      return known;
    return world.tables.paymentIntents.update(known, {
      amount,
      payment_method: paymentMethod ?? known.payment_method,
    });
  }
  const intent = openPaymentIntent(world, {
    amount: invoice.amount_remaining,
    currency: invoice.currency,
    customer: invoice.customer,
    paymentMethod,
    metadata: {},
    description: subscriptionOf(invoice) === null ? null : 'Subscription update',
  });
  linkPayment(world, invoice, intent);
  return intent;
}

/** Open → paid. Links of payments that are still open are `paid` with what was left. */
export function markPaid(world: World, open: Invoice, patch: Partial<Invoice> = {}): Invoice {
  const now = world.clock.now();
  const links = paymentsOf(world, open.id).filter((link) => link.status === 'open');
  const invoice = world.tables.invoices.update(open, {
    status: 'paid',
    amount_paid: open.amount_due,
    amount_remaining: 0,
    attempted: true,
    attempt_count: open.amount_due === 0 ? open.attempt_count : open.attempt_count + 1,
    auto_advance: false,
    next_payment_attempt: null,
    status_transitions: { ...open.status_transitions, paid_at: now },
    ...patch,
  });
  emit(world, 'invoice.paid', invoice);
  emit(world, 'invoice.payment_succeeded', invoice);
  for (const link of links) closeLink(world, link);
  return invoice;
}

/** The link of a PaymentIntent that succeeded is `paid`; of one that did not, `canceled`. */
function closeLink(world: World, link: InvoicePayment): void {
  const now = world.clock.now();
  const intent = world.tables.paymentIntents.get(link.payment.payment_intent ?? '');
  if (intent?.status !== 'succeeded') {
    world.tables.invoicePayments.update(link, {
      status: 'canceled',
      status_transitions: { canceled_at: now, paid_at: null },
    });
    return;
  }
  const paid = world.tables.invoicePayments.update(link, {
    status: 'paid',
    amount_paid: link.amount_requested,
    status_transitions: { canceled_at: null, paid_at: now },
  });
  emit(world, 'invoice_payment.paid', paid);
}

/** One of several payments of an invoice has succeeded: the invoice is paid once nothing remains. */
export function creditInvoice(world: World, open: Invoice, intent: PaymentIntent): Invoice {
  const link = paymentsOf(world, open.id).find((one) => one.payment.payment_intent === intent.id);
  if (link?.status !== 'open') return open;
  const remaining = Math.max(0, open.amount_remaining - link.amount_requested);
  if (remaining === 0) return markPaid(world, open);
  const part = world.tables.invoices.update(open, {
    amount_paid: open.amount_due - remaining,
    amount_remaining: remaining,
    attempted: true,
  });
  emit(world, 'invoice.updated', part);
  closeLink(world, link);
  return part;
}
