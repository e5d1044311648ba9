import { capturePayment, putPayment, releasePayment } from './capturing.ts';
import type { Life } from './life.ts';
import { amountOf, recordOf } from './sold.ts';
import type { Sold } from './sold.ts';
import {
  renderCharge,
  renderDispute,
  renderInvoice,
  renderInvoicePayment,
  renderLineItem,
  renderPaymentIntent,
  renderRefund,
  renderSession,
} from './stripe-objects.ts';
import type { Payment, Reversal, Session, StripeObject } from './stripe-objects.ts';

/** Ends a payment, with its events. */
export function finishPayment(life: Life, payment: Payment): Payment {
  putPayment(life, payment);
  if (payment.status === 'succeeded') {
    life.emit('charge.succeeded', renderCharge(payment, life.shape));
    life.emit('payment_intent.succeeded', renderPaymentIntent(payment, life.shape));
  } else life.emit('payment_intent.payment_failed', renderPaymentIntent(payment, life.shape));
  return payment;
}

type Bought = {
  payment: () => Payment;
  capture: (captured: number) => Payment;
  release: (how: 'expired' | 'canceled') => Payment;
  /** The outstanding money arrives, or does not. */
  endPayment: (outcome: 'succeeded' | 'failed') => void;
};

type Options = {
  price?: string;
  quantity?: number;
  /** `late`: a bank debit or an authorisation, whose money is outstanding when the session is completed. */
  money?: 'at_once' | 'late' | 'authorised' | 'free';
  /** False: another program made the session; only its line items say what was bought. */
  hasMetadata?: boolean;
  /** What the buyer made of it: another quantity, something from a cross-sell. */
  sold?: Sold[];
  /** True: the session makes an invoice of the payment (`invoice_creation`, Payment Links). */
  hasInvoice?: boolean;
};

/** A one-time purchase by checkout. */
export function buy(life: Life, options: Options = {}): Bought {
  const { price = 'price_once', quantity = 1, money = 'at_once', hasMetadata = true } = options;
  const sold = options.sold ?? [{ price, quantity }];
  const amount = amountOf(sold);
  const metadata: Record<string, string> = hasMetadata
    ? { ...life.metadata, price_id: price, quantity: String(quantity) }
    : life.metadata;
  const session: Session = {
    id: life.newId('cs'),
    customer: life.customer,
    metadata,
    mode: 'payment',
    paymentStatus: money === 'at_once' ? 'paid' : money === 'free' ? 'no_payment_required' : 'unpaid',
    paymentIntent: money === 'free' ? null : life.newId('pi'),
    subscription: null,
    invoice: null,
    amount: money === 'free' ? 0 : amount,
    subtotal: amount,
    created: life.now(),
  };
  let payment: Payment = {
    intent: session.paymentIntent ?? '',
    charge: life.newId('ch'),
    customer: life.customer,
    metadata,
    invoice: null,
    status: money === 'authorised' ? 'authorised' : 'processing',
    amount,
    amountRefunded: 0,
    isDisputed: false,
    created: life.now(),
  };
  const invoice = options.hasInvoice === true ? recordOf(life, sold) : null;
  if (invoice !== null) {
    session.invoice = invoice.id;
    payment = { ...payment, invoice: invoice.id };
    life.put(renderInvoice(invoice, 'pinned'));
    life.put(renderInvoicePayment(invoice.id, { ...payment, status: 'succeeded' }));
  }
  let current = renderSession(session);
  life.put(current);
  for (const one of sold) life.put(renderLineItem(life.newId('li'), session.id, one));
  if (money !== 'free') putPayment(life, payment);
  if (money === 'authorised') life.emit('charge.succeeded', renderCharge(payment, life.shape));
  if (money === 'at_once') payment = finishPayment(life, { ...payment, status: 'succeeded' });
  life.emit('checkout.session.completed', current);
  if (invoice !== null) life.emit('invoice.paid', renderInvoice(invoice, life.shape));

  function endPayment(outcome: 'succeeded' | 'failed'): void {
    payment = finishPayment(life, { ...payment, status: outcome });
    current = renderSession({ ...session, paymentStatus: outcome === 'succeeded' ? 'paid' : 'unpaid' });
    life.put(current);
    life.emit(`checkout.session.async_payment_${outcome}`, current);
  }

  return {
    endPayment,
    capture: (captured) => (payment = capturePayment(life, payment, captured)),
    release: (how) => (payment = releasePayment(life, payment, how)),
    payment: () => payment,
  };
}

/** `payment`: as it is after the refund. `fail`: the bank could not accept the money, the seller has it again. */
type Refunded = { payment: Payment; fail: () => void };

/** Refunds a part of a payment. */
export function refund(life: Life, payment: Payment, amount: number): Refunded {
  const one: Reversal = {
    id: life.newId('re'),
    payment,
    status: 'succeeded',
    amount,
    created: life.now(),
  };
  const refunded = { ...payment, amountRefunded: payment.amountRefunded + amount };
  putPayment(life, refunded);
  life.put(renderRefund(one));
  life.emit('charge.refunded', renderCharge(refunded, life.shape));
  life.emit('refund.created', renderRefund(one));
  return {
    payment: refunded,
    fail: () => {
      const failed = renderRefund({ ...one, status: 'failed' });
      const back = { ...refunded, amountRefunded: refunded.amountRefunded - amount };
      putPayment(life, back);
      life.put(failed);
      life.emit('charge.refund.updated', failed);
      life.emit('refund.failed', failed);
    },
  };
}

type OpenDispute = { answer: () => void; close: (status: 'won' | 'lost' | 'warning_closed') => void };

/** The buyer's bank demands the money back, or with `warning_…` inquires. */
export function dispute(life: Life, payment: Payment, opening = 'needs_response'): OpenDispute {
  const one: Reversal = {
    id: life.newId('du'),
    payment,
    status: opening,
    amount: payment.amount,
    created: life.now(),
  };
  const emit = (status: string, ...types: string[]): void => {
    const rendered: StripeObject = renderDispute({ ...one, status });
    life.put(rendered);
    for (const type of types) life.emit(type, rendered);
  };
  putPayment(life, { ...payment, isDisputed: true });
  if (opening === 'needs_response') emit(opening, 'charge.dispute.created', 'charge.dispute.funds_withdrawn');
  else emit(opening, 'charge.dispute.created');
  return {
    answer: () => emit('under_review', 'charge.dispute.updated'),
    close: (status) => {
      if (status === 'won') emit(status, 'charge.dispute.closed', 'charge.dispute.funds_reinstated');
      else emit(status, 'charge.dispute.closed');
    },
  };
}
