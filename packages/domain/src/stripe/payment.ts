import { z } from 'zod';
import { id } from '../ids.ts';
import type { Instant } from '../time.ts';
import { ownMetadata } from './claims.ts';
import type { OwnMetadata } from './claims.ts';
import { amountOrNull, flag, reference, secondsOrNull, words } from './fields.ts';

type PaymentFacts = {
  id: string;
  customerId: string | null;
  own: OwnMetadata;
  /** The invoice that it pays; rendered before 2025-03-31 (basil) only. */
  invoiceId: string | null;
  amount: number | null;
  currency: string | null;
};

export type PaymentIntentFacts = PaymentFacts & {
  chargeId: string | null;
  status: string | null;
  /** How much of it was captured; null: nothing yet. */
  captured: number | null;
};

export type ChargeFacts = PaymentFacts & {
  paymentIntentId: string | null;
  isPaid: boolean;
  /** How much was captured; null: nothing yet, as with an authorisation. */
  captured: number | null;
  amountRefunded: number;
};

export type DisputeFacts = {
  id: string;
  chargeId: string | null;
  paymentIntentId: string | null;
  status: string | null;
};

export type RefundFacts = DisputeFacts & { amount: number | null; createdAt: Instant | null };

const payment = z.object({
  id,
  customer: reference,
  metadata: ownMetadata,
  invoice: reference,
  status: words,
  amount: amountOrNull,
  currency: words,
});

const toPayment = (whole: z.output<typeof payment>): PaymentFacts => ({
  id: whole.id,
  customerId: whole.customer,
  own: whole.metadata,
  invoiceId: whole.invoice,
  amount: whole.amount,
  currency: whole.currency,
});

export const paymentIntentFacts = payment
  .extend({ latest_charge: reference, amount_received: amountOrNull })
  .transform((whole): PaymentIntentFacts => ({
    ...toPayment(whole),
    chargeId: whole.latest_charge,
    status: whole.status,
    captured: whole.status === 'succeeded' ? (whole.amount_received ?? whole.amount) : null,
  }));

export const chargeFacts = payment
  .extend({
    payment_intent: reference,
    paid: flag,
    captured: z.boolean().nullish(),
    amount_captured: amountOrNull,
    amount_refunded: amountOrNull,
  })
  .transform((whole): ChargeFacts => {
    // Stripe: an authorisation is `paid` and `succeeded` as well; only `captured` says that it is no money yet.
    const isPaid = whole.paid && whole.status === 'succeeded' && whole.captured !== false;
    return {
      ...toPayment(whole),
      paymentIntentId: whole.payment_intent,
      isPaid,
      captured: isPaid ? (whole.amount_captured ?? whole.amount) : null,
      amountRefunded: whole.amount_refunded ?? 0,
    };
  });

const reversal = z.object({ id, charge: reference, payment_intent: reference, status: words });

const toReversal = (whole: z.output<typeof reversal>): DisputeFacts => ({
  id: whole.id,
  chargeId: whole.charge,
  paymentIntentId: whole.payment_intent,
  status: whole.status,
});

export const refundFacts = reversal
  .extend({ amount: amountOrNull, created: secondsOrNull })
  .transform((whole): RefundFacts => ({
    ...toReversal(whole),
    amount: whole.amount,
    createdAt: whole.created,
  }));

export const disputeFacts = reversal.transform(toReversal);
