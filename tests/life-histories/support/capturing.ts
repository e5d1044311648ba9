import type { Life } from './life.ts';
import { renderCharge, renderPaymentIntent, renderRefund } from './stripe-objects.ts';
import type { Payment, Reversal } from './stripe-objects.ts';

/** Stores a payment at Stripe. */
export function putPayment(life: Life, payment: Payment): void {
  life.put(renderCharge(payment, 'pinned'));
  life.put(renderPaymentIntent(payment, 'pinned'));
}

/** Takes the authorised money, or a part of it: Stripe gives the rest back by a refund. */
export function capturePayment(life: Life, authorised: Payment, captured: number): Payment {
  const rest = authorised.amount - captured;
  const payment: Payment = { ...authorised, status: 'succeeded', captured, amountRefunded: rest };
  putPayment(life, payment);
  life.emit('charge.captured', renderCharge(payment, life.shape));
  life.emit('payment_intent.succeeded', renderPaymentIntent(payment, life.shape));
  if (rest === 0) return payment;
  const given: Reversal = {
    id: life.newId('re'),
    payment,
    status: 'succeeded',
    amount: rest,
    created: life.now(),
  };
  life.put(renderRefund(given));
  life.emit('refund.created', renderRefund(given));
  return payment;
}

/** The authorised money was not taken: in time (`expired`), or on purpose. */
export function releasePayment(life: Life, authorised: Payment, how: 'expired' | 'canceled'): Payment {
  const payment: Payment = { ...authorised, status: 'canceled', amountRefunded: authorised.amount };
  putPayment(life, payment);
  life.emit(how === 'expired' ? 'charge.expired' : 'charge.refunded', renderCharge(payment, life.shape));
  life.emit('payment_intent.canceled', renderPaymentIntent(payment, life.shape));
  return payment;
}
