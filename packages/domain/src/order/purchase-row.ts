import type { Claims } from '../stripe/claims.ts';
import { noClaims } from '../stripe/claims.ts';
import type { Instant } from '../time.ts';
import { noMoneyBack } from './money-back.ts';
import type { MoneyBack } from './money-back.ts';

export type PurchaseStatus = 'pending' | 'failed' | 'paid';
export type BoughtItem = { stripePriceId: string; quantity: number };

/** What renders a payment; a session's word goes before the payment's own, whatever arrives first. */
export const claimSources = ['session', 'payment_intent', 'charge'] as const;
export type ClaimSource = (typeof claimSources)[number];

/** The newest that one of them said. */
export type PaymentSaid = {
  at: Instant;
  eventId: string;
  customerId: string | null;
  claims: Claims;
  amount: number | null;
  currency: string | null;
  /** What was bought; null: not said there. */
  items: BoughtItem[] | null;
};

/** What the row's other fields are computed from. */
export type PaymentRecord = {
  said: Partial<Record<ClaimSource, PaymentSaid>>;
  /** What the session sold, read from Stripe where nobody said it. */
  lineItems: BoughtItem[] | null;
  /** The charge's amount, read from Stripe where nobody said it. */
  chargeAmount: number | null;
  money: MoneyBack;
};

/**
 * A payment, keyed by its PaymentIntent, or by its session where nothing was to pay: a purchase, or (with an
 * invoice) one that a subscription's invoice asked for, of which only the money taken back matters.
 */
export type PurchaseRow = {
  id: string;
  /** 0: not stored yet. */
  rowVersion: number;
  customerId: string | null;
  claims: Claims;
  sessionId: string | null;
  chargeId: string | null;
  /** The invoice that it paid. */
  invoiceId: string | null;
  /** Stripe was asked: no invoice. */
  isInvoiceless: boolean;
  status: PurchaseStatus;
  amount: number | null;
  amountRefunded: number;
  currency: string | null;
  paidAt: Instant | null;
  disputeStatus: string | null;
  record: PaymentRecord;
  /** The newest event that told anything about it. */
  snapshotAt: Instant | null;
  snapshotEventId: string | null;
  confirmed: boolean;
  recheckAt: Instant | null;
  recheckAttempts: number;
  missingInStripeAt: Instant | null;
  items: BoughtItem[];
};

export const unknownPurchase = (id: string): PurchaseRow => ({
  id,
  rowVersion: 0,
  customerId: null,
  claims: noClaims,
  sessionId: null,
  chargeId: null,
  invoiceId: null,
  isInvoiceless: false,
  status: 'pending',
  amount: null,
  amountRefunded: 0,
  currency: null,
  paidAt: null,
  disputeStatus: null,
  record: { said: {}, lineItems: null, chargeAmount: null, money: noMoneyBack },
  snapshotAt: null,
  snapshotEventId: null,
  confirmed: true,
  recheckAt: null,
  recheckAttempts: 0,
  missingInStripeAt: null,
  items: [],
});

/**
 * Whether the row is a purchase. A refund of a payment that nobody is known to have bought anything with (a
 * subscription's, or one whose session is still to come) is noted in a row that is none yet.
 */
export const isPurchase = (row: PurchaseRow): boolean =>
  row.invoiceId === null && (row.sessionId !== null || row.items.length > 0 || row.status !== 'pending');

/** What an entitlement is computed from. */
export const purchaseEntitlementInputs = (row: PurchaseRow): string =>
  JSON.stringify([
    row.invoiceId,
    row.status,
    row.paidAt,
    row.amount,
    row.amountRefunded,
    row.disputeStatus,
    row.confirmed,
    row.items.map((item) => [item.stripePriceId, item.quantity]),
  ]);
