import type { Instant } from '../time.ts';
import { amountBack, wasTakenBack, withChargeDetails } from './money-back.ts';
import type { ChargeDetails } from './money-back.ts';
import { isPurchase } from './purchase-row.ts';
import type { BoughtItem, PurchaseRow } from './purchase-row.ts';
import { firstRecheckDelayMs } from './lookup.ts';
import type { StripeLookup } from './lookup.ts';
import { derivePurchase, itemsSaid } from './step-purchase.ts';

/** What only Stripe can say about a payment. */
export type PaymentQuery = {
  /** The session whose line items are needed: nobody said what it sold. */
  lineItemsOf: string | null;
  /** The charge whose refunds are in doubt. */
  charge: string | null;
  /** The PaymentIntent whose invoice is asked for: nobody is known to have bought with it. */
  invoiceOf: string | null;
};

/** Stripe's answers to that; null: not asked. */
export type PaymentDetails = {
  lineItems: BoughtItem[] | null;
  charge: ChargeDetails | null;
  /** Its id, or null where no invoice was paid with it. */
  invoice: { id: string | null } | null;
};

/** What is in doubt about a payment as it is stored; null: nothing. */
export function paymentQuery(row: PurchaseRow): PaymentQuery | null {
  const { record } = row;
  const isSold = isPurchase(row);
  const { amount, isDoubtful } = amountBack(record.money);
  const isUnclear = isDoubtful || (amount > 0 && row.amount === null);
  const isUnsaid = isSold && row.sessionId !== null && itemsSaid(record) === null;
  const isNobodys = !isSold && row.invoiceId === null && !row.isInvoiceless && row.id !== row.chargeId;
  const query = {
    lineItemsOf: isUnsaid && record.lineItems === null ? row.sessionId : null,
    charge: isUnclear && (isSold || row.invoiceId !== null || isNobodys) ? row.chargeId : null,
    invoiceOf: isNobodys && wasTakenBack(record.money) ? row.id : null,
  };
  return Object.values(query).every((want) => want === null) ? null : query;
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

/** A purchase needs no note that it has no invoice. */
const tidy = (row: PurchaseRow): PurchaseRow => (isPurchase(row) ? { ...row, isInvoiceless: false } : row);

const settled = { confirmed: true, recheckAt: null, recheckAttempts: 0, missingInStripeAt: null } as const;
const inDoubt = { confirmed: false, recheckAt: null, recheckAttempts: 0 } as const;

export type PurchaseStep =
  { kind: 'write'; row: PurchaseRow } | { kind: 'needs_lookup'; query: PaymentQuery };

/**
 * Settles a payment once everything at hand was merged into it: what is in doubt is asked of Stripe. Out of
 * reach: the best that is known, to be settled later. What Stripe does not have (404) stays as it is known.
 */
export function resolvePurchase(
  merged: PurchaseRow,
  { lookup, now }: { lookup: StripeLookup<PaymentDetails> | null; now: Instant },
): PurchaseStep {
  const row = tidy(lookup?.kind === 'found' ? tidy(withDetails(merged, lookup.object)) : merged);
  const query = paymentQuery(row);
  if (query === null) return { kind: 'write', row: { ...row, ...settled } };
  if (row.missingInStripeAt !== null) return { kind: 'write', row: { ...row, ...inDoubt } };
  if (lookup === null) return { kind: 'needs_lookup', query };
  if (lookup.kind === 'unreachable')
    return {
      kind: 'write',
      row: { ...row, confirmed: false, recheckAt: row.recheckAt ?? now + firstRecheckDelayMs },
    };
  return { kind: 'write', row: { ...row, ...inDoubt, missingInStripeAt: now } };
}
