import type { ChargeFacts, PaymentIntentFacts } from '../stripe/payment.ts';

/** How much of an authorised amount was captured. */
export type Capture = {
  amount: number;
  captured: number;
  /** The least `amount_refunded` of the captured charge; null: no charge was seen. */
  leastRefunded: number | null;
};

const least = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b);

/** Captures add up, so the greater one is the newer. */
export function withCapture(known: Capture | null, more: Capture | null): Capture | null {
  if (known === null || more === null) return known ?? more;
  return {
    amount: Math.max(known.amount, more.amount),
    captured: Math.max(known.captured, more.captured),
    leastRefunded: least(known.leastRefunded, more.leastRefunded),
  };
}

/** What was authorised, but never taken. */
export const uncapturedAmount = (capture: Capture | null): number =>
  capture === null ? 0 : Math.max(0, capture.amount - capture.captured);

/**
 * How much of `returned` is a refund. Stripe gives the rest of a partial capture back by a refund of its own, which
 * `amount_refunded` includes: that money was never taken.
 */
export function refundedOf(returned: number, capture: Capture | null): number {
  const rest = uncapturedAmount(capture);
  const isIncluded = capture === null || capture.leastRefunded === null || capture.leastRefunded >= rest;
  return isIncluded ? Math.max(0, returned - rest) : returned;
}

/** How much of the payment was captured; null: nothing yet. */
export const captureOfIntent = ({ captured, amount }: PaymentIntentFacts): Capture | null =>
  captured === null ? null : { amount: amount ?? captured, captured, leastRefunded: null };

export const captureOfCharge = ({ captured, amount, amountRefunded }: ChargeFacts): Capture | null =>
  captured === null ? null : { amount: amount ?? captured, captured, leastRefunded: amountRefunded };
