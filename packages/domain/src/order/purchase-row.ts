import type { BoughtItem } from '../stripe/bought-items.ts';
import { noClaims } from '../stripe/claims.ts';
import type { Claims } from '../stripe/claims.ts';
import type { InvoiceDetails } from '../stripe/invoice.ts';
import type { Instant } from '../time.ts';
import type { Capture } from './capture.ts';
import { noReversals } from './reversals.ts';
import type { Reversals } from './reversals.ts';

export type PurchaseStatus = 'pending' | 'failed' | 'paid';

/** The objects that claim who bought what. A session's claim goes first, whichever arrives first. */
export const claimSources = ['session', 'invoice', 'payment_intent', 'charge'] as const;
export type ClaimSource = (typeof claimSources)[number];

/** The newest claim of one source. */
export type PaymentClaim = {
  at: Instant;
  eventId: string;
  customerId: string | null;
  claims: Claims;
  amount: number | null;
  currency: string | null;
  /** What was bought; null: the object does not say. */
  items: BoughtItem[] | null;
  /** True: more or other things may have been bought than `items`. Absent in records from before it was kept: false. */
  mayHoldMore?: boolean;
};

/** `isAssumed`: written by a migration for a row from before it was kept; it is looked up. */
type KnownInvoice = InvoiceDetails & { isAssumed?: boolean };

/** What the row's other fields are computed from: the JSON in `purchases.record`, whose keys never change. */
export type PaymentRecord = {
  said: Partial<Record<ClaimSource, PaymentClaim>>;
  /** What the session sold, looked up where no claim says it. */
  lineItems: BoughtItem[] | null;
  /** The charge's amount, looked up where no claim says it. */
  chargeAmount: number | null;
  money: Reversals;
  /** When it was paid: by objects that claim it, by others, by a lookup. */
  paid: Partial<Record<'claimed' | 'reported' | 'lookup', Instant>>;
  capture: Capture | null;
  /** The invoice that the payment paid, as it was looked up; of an invoice's purchase, the invoice as its event had it. */
  invoice: KnownInvoice | null;
  /** How often the PaymentIntent of a session with outstanding money was looked up. */
  intentLookups: number;
};

/**
 * A payment, keyed by its PaymentIntent, or by its session where there was nothing to pay. It is a purchase,
 * or the payment of an invoice, of which only refunds and disputes matter. What an invoice sells besides a
 * subscription's items is a purchase as well, keyed by the invoice.
 */
export type PurchaseRow = {
  id: string;
  /** 0: not stored yet. Grows with every write. */
  rowVersion: number;
  customerId: string | null;
  claims: Claims;
  sessionId: string | null;
  chargeId: string | null;
  /** The invoice whose payment this is. */
  invoiceId: string | null;
  /** The invoice that only records this purchase, and so sells nothing by itself. */
  receiptId: string | null;
  /** The subscription whose invoice it is. */
  subscriptionId: string | null;
  /** True: a lookup found that the payment paid no invoice. */
  isInvoiceless: boolean;
  status: PurchaseStatus;
  amount: number | null;
  amountRefunded: number;
  currency: string | null;
  paidAt: Instant | null;
  disputeStatus: string | null;
  record: PaymentRecord;
  /** `created` of the newest event about the payment. */
  snapshotAt: Instant | null;
  snapshotEventId: string | null;
  /** False: the row may be outdated and will be read from Stripe again, or Stripe does not have it. */
  confirmed: boolean;
  recheckAt: Instant | null;
  recheckAttempts: number;
  missingInStripeAt: Instant | null;
  items: BoughtItem[];
};

/** The row of a payment of which nothing but its id is known. */
export const unknownPurchase = (id: string): PurchaseRow => ({
  id,
  rowVersion: 0,
  customerId: null,
  claims: noClaims,
  sessionId: null,
  chargeId: null,
  invoiceId: null,
  receiptId: null,
  subscriptionId: null,
  isInvoiceless: false,
  status: 'pending',
  amount: null,
  amountRefunded: 0,
  currency: null,
  paidAt: null,
  disputeStatus: null,
  record: {
    said: {},
    lineItems: null,
    chargeAmount: null,
    money: noReversals,
    paid: {},
    capture: null,
    invoice: null,
    intentLookups: 0,
  },
  snapshotAt: null,
  snapshotEventId: null,
  confirmed: true,
  recheckAt: null,
  recheckAttempts: 0,
  missingInStripeAt: null,
  items: [],
});

/**
 * Whether the row is a purchase. A refund may arrive for a payment that is not known to have bought anything: a
 * subscription's, or one whose session has not arrived. Its row is not a purchase (yet).
 */
export const isPurchase = (row: PurchaseRow): boolean =>
  row.invoiceId === null && (row.sessionId !== null || row.items.length > 0 || row.status !== 'pending');

const invoiceInputs = (invoice: KnownInvoice | null): unknown =>
  invoice && [
    invoice.subscriptionId,
    invoice.total,
    invoice.covers.map((one) => [one.itemId, one.stripePriceId, one.periodStart, one.periodEnd]),
  ];

/** The fields that entitlements are computed from: when they change, the user's version grows. */
export const purchaseEntitlementInputs = (row: PurchaseRow): string =>
  JSON.stringify([
    row.invoiceId,
    row.receiptId,
    invoiceInputs(row.record.invoice),
    row.status,
    row.paidAt,
    row.amount,
    row.amountRefunded,
    row.disputeStatus,
    row.confirmed,
    row.items.map((item) => [item.stripePriceId, item.quantity, item.stripeProductId]),
  ]);
