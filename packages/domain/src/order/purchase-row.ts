import type { Claims } from '../stripe/claims.ts';
import { noClaims } from '../stripe/claims.ts';
import type { Instant } from '../time.ts';

export type PurchaseStatus = 'pending' | 'failed' | 'paid';
export type BoughtItem = { stripePriceId: string; quantity: number };

/** A one-time payment, keyed by its PaymentIntent, or by its session where nothing was to pay. */
export type PurchaseRow = {
  id: string;
  /** 0: not stored yet. */
  fence: number;
  customerId: string | null;
  claims: Claims;
  sessionId: string | null;
  chargeId: string | null;
  status: PurchaseStatus;
  amount: number | null;
  amountRefunded: number;
  currency: string | null;
  paidAt: Instant | null;
  refundSnapshotAt: Instant | null;
  disputeStatus: string | null;
  snapshotEventId: string | null;
  confirmed: boolean;
  settleAt: Instant | null;
  settleAttempts: number;
  items: BoughtItem[];
};

export const unknownPurchase = (id: string): PurchaseRow => ({
  id,
  fence: 0,
  customerId: null,
  claims: noClaims,
  sessionId: null,
  chargeId: null,
  status: 'pending',
  amount: null,
  amountRefunded: 0,
  currency: null,
  paidAt: null,
  refundSnapshotAt: null,
  disputeStatus: null,
  snapshotEventId: null,
  confirmed: true,
  settleAt: null,
  settleAttempts: 0,
  items: [],
});

/**
 * Whether the row is a purchase. A refund of a payment that nobody is known to have bought anything with (a
 * subscription's, or one whose session is still to come) is noted in a row that is none yet.
 */
export const isPurchase = (row: PurchaseRow): boolean =>
  row.sessionId !== null || row.items.length > 0 || row.status !== 'pending';

/** What an entitlement is computed from. */
export const purchaseMatter = (row: PurchaseRow): string =>
  JSON.stringify([
    row.status,
    row.paidAt,
    row.amount,
    row.amountRefunded,
    row.disputeStatus,
    row.confirmed,
    row.items.map((item) => [item.stripePriceId, item.quantity]),
  ]);
