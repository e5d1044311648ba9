import { z } from 'zod';
import { id } from '../ids.ts';
import { ownMetadata } from './claims.ts';
import type { OwnMetadata } from './claims.ts';
import type { Instant } from '../time.ts';
import { amountOrNull, flag, reference, secondsOrNull, words } from './fields.ts';

export type PaymentIntentFacts = {
  id: string;
  customerId: string | null;
  own: OwnMetadata;
  /** Rendered before 2025-03-31 only: set, it is an invoice's payment. */
  invoiceId: string | null;
  chargeId: string | null;
  status: string | null;
  amount: number | null;
  currency: string | null;
};

export type ChargeFacts = {
  id: string;
  paymentIntentId: string | null;
  customerId: string | null;
  own: OwnMetadata;
  invoiceId: string | null;
  isPaid: boolean;
  amount: number | null;
  amountRefunded: number;
  currency: string | null;
};

export type RefundFacts = {
  id: string;
  chargeId: string | null;
  paymentIntentId: string | null;
  status: string | null;
  amount: number | null;
  createdAt: Instant | null;
};

export type DisputeFacts = {
  id: string;
  chargeId: string | null;
  paymentIntentId: string | null;
  status: string | null;
};

export const paymentIntentFacts = z
  .object({
    id,
    customer: reference,
    metadata: ownMetadata,
    invoice: reference,
    latest_charge: reference,
    status: words,
    amount: amountOrNull,
    amount_received: amountOrNull,
    currency: words,
  })
  .transform((whole): PaymentIntentFacts => ({
    id: whole.id,
    customerId: whole.customer,
    own: whole.metadata,
    invoiceId: whole.invoice,
    chargeId: whole.latest_charge,
    status: whole.status,
    amount: whole.amount_received ?? whole.amount,
    currency: whole.currency,
  }));

export const chargeFacts = z
  .object({
    id,
    payment_intent: reference,
    customer: reference,
    metadata: ownMetadata,
    invoice: reference,
    paid: flag,
    status: words,
    amount: amountOrNull,
    amount_refunded: amountOrNull,
    currency: words,
  })
  .transform((whole): ChargeFacts => ({
    id: whole.id,
    paymentIntentId: whole.payment_intent,
    customerId: whole.customer,
    own: whole.metadata,
    invoiceId: whole.invoice,
    isPaid: whole.paid && whole.status === 'succeeded',
    amount: whole.amount,
    amountRefunded: whole.amount_refunded ?? 0,
    currency: whole.currency,
  }));

export const refundFacts = z
  .object({
    id,
    charge: reference,
    payment_intent: reference,
    status: words,
    amount: amountOrNull,
    created: secondsOrNull,
  })
  .transform((whole): RefundFacts => ({
    id: whole.id,
    chargeId: whole.charge,
    paymentIntentId: whole.payment_intent,
    status: whole.status,
    amount: whole.amount,
    createdAt: whole.created,
  }));

export const disputeFacts = z
  .object({ id, charge: reference, payment_intent: reference, status: words })
  .transform((whole): DisputeFacts => ({
    id: whole.id,
    chargeId: whole.charge,
    paymentIntentId: whole.payment_intent,
    status: whole.status,
  }));
