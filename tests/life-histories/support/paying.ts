import type { Life } from './life.ts';
import {
  renderCharge,
  renderDispute,
  renderLineItem,
  renderPaymentIntent,
  renderRefund,
  renderSession,
} from './stripe-objects.ts';
import type { Payment, Reversal, Session, StripeObject } from './stripe-objects.ts';

function putPayment(life: Life, payment: Payment): void {
  life.put(renderCharge(payment, 'pinned'));
  life.put(renderPaymentIntent(payment, 'pinned'));
}

/** Ends a payment, with its events. */
export function finishPayment(life: Life, payment: Payment): Payment {
  putPayment(life, payment);
  if (payment.status === 'succeeded') {
    life.emit('charge.succeeded', renderCharge(payment, life.shape));
    // An invoice's payment has no other facts than its charge.
    if (payment.invoice === null)
      life.emit('payment_intent.succeeded', renderPaymentIntent(payment, life.shape));
  } else life.emit('payment_intent.payment_failed', renderPaymentIntent(payment, life.shape));
  return payment;
}

type Bought = {
  payment: () => Payment;
  /** The outstanding money arrives, or does not. */
  endPayment: (outcome: 'succeeded' | 'failed') => void;
};

type Options = {
  price?: string;
  quantity?: number;
  /** `late`: a bank debit, whose money is outstanding when the session is completed. */
  money?: 'at_once' | 'late' | 'free';
  /** False: another program made the session; only its line items say what was bought. */
  hasMetadata?: boolean;
};

/** A one-time purchase by checkout. */
export function buy(life: Life, options: Options = {}): Bought {
  const { price = 'price_once', quantity = 1, money = 'at_once', hasMetadata = true } = options;
  const metadata: Record<string, string> = hasMetadata
    ? { ...life.metadata, price_id: price, quantity: String(quantity) }
    : life.metadata;
  const session: Session = {
    id: life.newId('cs'),
    customer: life.customer,
    metadata,
    mode: 'payment',
    paymentStatus: money === 'at_once' ? 'paid' : money === 'late' ? 'unpaid' : 'no_payment_required',
    paymentIntent: money === 'free' ? null : life.newId('pi'),
    subscription: null,
    amount: money === 'free' ? 0 : 10_000,
    created: life.now(),
  };
  let payment: Payment = {
    intent: session.paymentIntent ?? '',
    charge: life.newId('ch'),
    customer: life.customer,
    metadata,
    invoice: null,
    status: 'processing',
    amount: 10_000,
    amountRefunded: 0,
    isDisputed: false,
    created: life.now(),
  };
  let current = renderSession(session);
  life.put(current);
  const lineId = life.newId('li');
  life.put(renderLineItem(lineId, session.id, { price, quantity }));
  if (money !== 'free') putPayment(life, payment);
  if (money === 'at_once') payment = finishPayment(life, { ...payment, status: 'succeeded' });
  life.emit('checkout.session.completed', current);

  function endPayment(outcome: 'succeeded' | 'failed'): void {
    payment = finishPayment(life, { ...payment, status: outcome });
    current = renderSession({ ...session, paymentStatus: outcome === 'succeeded' ? 'paid' : 'unpaid' });
    life.put(current);
    life.emit(`checkout.session.async_payment_${outcome}`, current);
  }

  return { endPayment, payment: () => payment };
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
