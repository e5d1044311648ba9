import type { Instant } from '../time.ts';
import { confirmedState, unconfirmedState } from './lookup.ts';
import type { StripeLookup } from './lookup.ts';
import { claimedItems, derivePurchase } from './merge-purchase.ts';
import { isPurchase } from './purchase-row.ts';
import type { BoughtItem, PurchaseRow } from './purchase-row.ts';
import { amountReturned, hasReversals, withChargeDetails } from './reversals.ts';
import type { ChargeDetails } from './reversals.ts';

/** What to look up about a payment; null: not needed. */
export type PaymentQuery = {
  /** The session whose line items are needed, as no claim says what was bought. */
  lineItemsOf: string | null;
  /** The charge whose refunds are needed, as the amount returned is uncertain. */
  charge: string | null;
  /** The PaymentIntent whose invoice is needed, as it is not known to be a purchase. */
  invoiceOf: string | null;
};

/** Stripe's answers to a query; null: not asked. */
export type PaymentDetails = {
  lineItems: BoughtItem[] | null;
  charge: ChargeDetails | null;
  /** `id` null: the payment paid no invoice. */
  invoice: { id: string | null } | null;
};

/** What has to be looked up before the stored payment is confirmed; null: nothing. */
export function paymentQuery(row: PurchaseRow): PaymentQuery | null {
  const { record } = row;
  const isSold = isPurchase(row);
  const { amount, isUncertain } = amountReturned(record.money);
  const needsCharge = isUncertain || (amount > 0 && row.amount === null);
  const needsItems = isSold && claimedItems(record) === null && record.lineItems === null;
  const isUnassigned = !isSold && row.invoiceId === null && !row.isInvoiceless && row.id !== row.chargeId;
  const query = {
    lineItemsOf: needsItems ? row.sessionId : null,
    charge: needsCharge && (isSold || row.invoiceId !== null || isUnassigned) ? row.chargeId : null,
    invoiceOf: isUnassigned && hasReversals(record.money) ? row.id : null,
  };
  return Object.values(query).every((id) => id === null) ? null : query;
}

function withDetails(row: PurchaseRow, { lineItems, charge, invoice }: PaymentDetails): PurchaseRow {
  const { record } = row;
  return derivePurchase({
    ...row,
    invoiceId: row.invoiceId ?? invoice?.id ?? null,
    isInvoiceless: row.isInvoiceless || (invoice !== null && invoice.id === null),
    record: {
      ...record,
      lineItems: lineItems ?? record.lineItems,
      chargeAmount: charge?.amount ?? record.chargeAmount,
      money: charge === null ? record.money : withChargeDetails(record.money, charge),
    },
  });
}

/** That a payment paid no invoice is recorded only while it is not a purchase. */
const tidy = (row: PurchaseRow): PurchaseRow => (isPurchase(row) ? { ...row, isInvoiceless: false } : row);

export type PurchaseStep =
  { kind: 'write'; row: PurchaseRow } | { kind: 'needs_lookup'; query: PaymentQuery };

/**
 * Confirms a payment after all its events were merged; asks for a lookup where they are not enough. If Stripe
 * is out of reach, the best known state is kept and rechecked later; if Stripe does not have it (404), it is
 * kept without a recheck.
 */
export function resolvePurchase(
  merged: PurchaseRow,
  { lookup, now }: { lookup: StripeLookup<PaymentDetails> | null; now: Instant },
): PurchaseStep {
  const row = tidy(lookup?.kind === 'found' ? tidy(withDetails(merged, lookup.object)) : merged);
  const query = paymentQuery(row);
  if (query === null) return { kind: 'write', row: { ...row, ...confirmedState } };
  const unconfirmed = (kind: 'missing' | 'unreachable', at: Instant): PurchaseStep => ({
    kind: 'write',
    row: { ...row, ...unconfirmedState(row, { kind }, at) },
  });
  if (row.missingInStripeAt !== null) return unconfirmed('missing', row.missingInStripeAt);
  if (lookup === null) return { kind: 'needs_lookup', query };
  // Found, and still not enough: asking again would change nothing.
  return unconfirmed(lookup.kind === 'unreachable' ? 'unreachable' : 'missing', now);
}
