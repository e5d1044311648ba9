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

/** A payment comes to its end, and its events say so. */
export function payIt(life: Life, payment: Payment): Payment {
  putPayment(life, payment);
  if (payment.status === 'succeeded') {
    life.tell('charge.succeeded', renderCharge(payment, life.shape));
    // Of an invoice's payment it says nothing that the charge does not.
    if (payment.invoice === null)
      life.tell('payment_intent.succeeded', renderPaymentIntent(payment, life.shape));
  } else life.tell('payment_intent.payment_failed', renderPaymentIntent(payment, life.shape));
  return payment;
}

export type Bought = ReturnType<typeof buy>;

type Options = {
  price?: string;
  quantity?: number;
  /** Late: a bank debit, whose money is outstanding when the session ends. */
  money?: 'at_once' | 'late' | 'free';
  /** False: a session that another program made; what it sold is in its line items alone. */
  hasMetadata?: boolean;
};

/** Somebody buys something once. */
export function buy(life: Life, options: Options = {}) {
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
  if (money === 'at_once') payment = payIt(life, { ...payment, status: 'succeeded' });
  life.tell('checkout.session.completed', current);

  /** The outstanding money comes, or does not. */
  function settle(outcome: 'succeeded' | 'failed'): void {
    payment = payIt(life, { ...payment, status: outcome });
    current = renderSession({ ...session, paymentStatus: outcome === 'succeeded' ? 'paid' : 'unpaid' });
    life.put(current);
    life.tell(`checkout.session.async_payment_${outcome}`, current);
  }

  return { settle, payment: (): Payment => payment };
}

/** Gives money back; the refund may fail later. Returns the payment as it is then. */
export function refund(life: Life, payment: Payment, amount: number) {
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
  life.tell('charge.refunded', renderCharge(refunded, life.shape));
  life.tell('refund.created', renderRefund(one));
  return {
    payment: refunded,
    /** The bank could not take the money: it is with the merchant again. */
    fail: (): Payment => {
      const failed = renderRefund({ ...one, status: 'failed' });
      const back = { ...refunded, amountRefunded: refunded.amountRefunded - amount };
      putPayment(life, back);
      life.put(failed);
      life.tell('charge.refund.updated', failed);
      life.tell('refund.failed', failed);
      return back;
    },
  };
}

/** The buyer's bank asks for the money. */
export function dispute(life: Life, payment: Payment, opening = 'needs_response') {
  const one: Reversal = {
    id: life.newId('du'),
    payment,
    status: opening,
    amount: payment.amount,
    created: life.now(),
  };
  const tell = (status: string, ...types: string[]): void => {
    const rendered: StripeObject = renderDispute({ ...one, status });
    life.put(rendered);
    for (const type of types) life.tell(type, rendered);
  };
  putPayment(life, { ...payment, isDisputed: true });
  if (opening === 'needs_response') tell(opening, 'charge.dispute.created', 'charge.dispute.funds_withdrawn');
  else tell(opening, 'charge.dispute.created');
  return {
    answer: (): void => tell('under_review', 'charge.dispute.updated'),
    close: (status: 'won' | 'lost' | 'warning_closed'): void => {
      if (status === 'won') tell(status, 'charge.dispute.closed', 'charge.dispute.funds_reinstated');
      else tell(status, 'charge.dispute.closed');
    },
  };
}
