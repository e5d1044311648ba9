import type { BoughtItem } from '../stripe/bought-items.ts';
import type { InvoiceDetails } from '../stripe/invoice.ts';
import { minuteMs } from '../time.ts';
import type { Instant } from '../time.ts';
import { confirmedState, unconfirmedState } from './lookup.ts';
import type { StripeLookup } from './lookup.ts';
import { uncapturedAmount, withCapture } from './capture.ts';
import type { Capture } from './capture.ts';
import { derivePurchase, further } from './merge-purchase.ts';
import { isPurchase } from './purchase-row.ts';
import type { PurchaseRow, PurchaseStatus } from './purchase-row.ts';
import { amountReturned, hasReversals, withChargeDetails } from './reversals.ts';
import type { ChargeDetails } from './reversals.ts';

/** What to look up about a payment; null: not needed. */
export type PaymentQuery = {
  /** The session whose line items are needed, as it may have sold other things than its metadata says. */
  lineItemsOf: string | null;
  /** The charge whose refunds are needed, as the amount returned is uncertain. */
  charge: string | null;
  /** The PaymentIntent whose invoice is needed, as it is not known to be a purchase. */
  invoiceOf: string | null;
  /** The invoice whose lines are needed. */
  invoice: string | null;
  /** The PaymentIntent whose state is needed, as its session left the money outstanding. */
  intent: string | null;
};

/** A PaymentIntent as it is now. `paidAt` null: not paid, or not known when. */
export type IntentDetails = { status: PurchaseStatus; capture: Capture | null; paidAt: Instant | null };

/** Stripe's answers to a query; null: not asked. */
export type PaymentDetails = {
  lineItems: BoughtItem[] | null;
  charge: ChargeDetails | null;
  /** `id` null: the payment paid no invoice. */
  invoice: InvoiceDetails | { id: null } | null;
  intent: IntentDetails | null;
};

/**
 * An event of the payment that carries none of our metadata is not recorded while its session is unknown: so a session
 * with outstanding money has its PaymentIntent looked up, and once more a minute later, in case another process
 * decided such an event meanwhile.
 */
const maxIntentLookups = 2;
const secondLookupDelayMs = minuteMs;

const isOutstanding = (row: PurchaseRow): boolean =>
  row.sessionId !== null && row.status === 'pending' && row.id !== row.sessionId;

/** A session without our metadata, or with more than it names; an invoice whose event left lines out. */
function needsItems({ record, sessionId }: PurchaseRow): boolean {
  const { said, lineItems } = record;
  const claim = said.session ?? said.invoice;
  if (lineItems !== null) return false;
  if (claim !== undefined) return claim.items === null || claim.mayHoldMore === true;
  return sessionId !== null && said.payment_intent === undefined && said.charge === undefined;
}

/** Whose payment it is has to be known once it has refunds or disputes, or claims to have bought something. */
function needsInvoice(row: PurchaseRow): boolean {
  const { record, invoiceId } = row;
  if (isPurchase(row) || row.isInvoiceless) return false;
  if (record.invoice !== null && record.invoice.isAssumed !== true) return false;
  const claimsSale = row.items.length > 0 || row.status !== 'pending';
  return hasReversals(record.money) || (invoiceId !== null && claimsSale);
}

function needsCharge(row: PurchaseRow): boolean {
  const { money, capture } = row.record;
  const { amount, isUncertain } = amountReturned(money);
  const isRestUnknown = uncapturedAmount(capture) > 0 && capture?.leastRefunded === null;
  return isUncertain || (amount > 0 && (row.amount === null || isRestUnknown));
}

/** What has to be looked up before the stored payment is confirmed; null: nothing. `isDue`: its time has come. */
export function paymentQuery(stored: PurchaseRow, { isDue = false } = {}): PaymentQuery | null {
  // A row of an older version may take a purchase for the payment of an invoice.
  const row = derivePurchase(stored);
  const { record, invoiceId } = row;
  const isSold = isPurchase(row);
  const isUnassigned = !isSold && invoiceId === null && !row.isInvoiceless && row.id !== row.chargeId;
  const asksInvoice = needsInvoice(row);
  const asksItems = isSold && needsItems(row);
  const lookups = isDue ? maxIntentLookups : 1;
  const query = {
    lineItemsOf: asksItems ? row.sessionId : null,
    charge: needsCharge(row) && (isSold || invoiceId !== null || isUnassigned) ? row.chargeId : null,
    invoiceOf: asksInvoice && isUnassigned ? row.id : null,
    invoice: asksItems && row.sessionId === null ? row.id : asksInvoice ? invoiceId : null,
    intent: isOutstanding(row) && record.intentLookups < lookups ? row.id : null,
  };
  return Object.values(query).every((id) => id === null) ? null : query;
}

function withIntent(row: PurchaseRow, intent: IntentDetails | null): PurchaseRow {
  if (intent === null) return row;
  const { record } = row;
  return {
    ...row,
    status: further(row.status, intent.status),
    record: {
      ...record,
      paid: intent.paidAt === null ? record.paid : { lookup: intent.paidAt, ...record.paid },
      capture: withCapture(record.capture, intent.capture),
      intentLookups: record.intentLookups + 1,
    },
  };
}

function withDetails(row: PurchaseRow, details: PaymentDetails): PurchaseRow {
  const { lineItems, charge, invoice, intent } = details;
  const known = withIntent(row, intent);
  const { record } = known;
  // The lines of the invoice that the purchase is keyed by.
  const sold = invoice !== null && invoice.id === row.id ? invoice.sold : null;
  return derivePurchase({
    ...known,
    invoiceId: row.invoiceId ?? (invoice?.id === row.id ? null : (invoice?.id ?? null)),
    isInvoiceless: row.isInvoiceless || (invoice !== null && invoice.id === null),
    record: {
      ...record,
      lineItems: lineItems ?? sold ?? record.lineItems,
      chargeAmount: charge?.amount ?? record.chargeAmount,
      money: charge === null ? record.money : withChargeDetails(record.money, charge),
      capture: withCapture(record.capture, charge?.capture ?? null),
      invoice: invoice === null || invoice.id === null ? record.invoice : invoice,
    },
  });
}

/** That a payment paid no invoice is recorded only while it is not a purchase. */
const tidy = (row: PurchaseRow): PurchaseRow => (isPurchase(row) ? { ...row, isInvoiceless: false } : row);

/** When a row that nothing is missing of is looked up again all the same; null: never. */
function laterLookup(row: PurchaseRow, now: Instant): Instant | null {
  if (!isOutstanding(row) || row.record.intentLookups >= maxIntentLookups) return null;
  return row.recheckAt ?? now + secondLookupDelayMs;
}

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
  const row = tidy(
    lookup?.kind === 'found' ? tidy(withDetails(merged, lookup.object)) : derivePurchase(merged),
  );
  const query = paymentQuery(row);
  if (query === null)
    return { kind: 'write', row: { ...row, ...confirmedState, recheckAt: laterLookup(row, now) } };
  const unconfirmed = (kind: 'missing' | 'unreachable', at: Instant): PurchaseStep => ({
    kind: 'write',
    row: { ...row, ...unconfirmedState(row, { kind }, at) },
  });
  if (row.missingInStripeAt !== null) return unconfirmed('missing', row.missingInStripeAt);
  if (lookup === null) return { kind: 'needs_lookup', query };
  // What was found may raise another question. Asking the same one again would change nothing.
  const isToBeAsked =
    lookup.kind === 'unreachable' || (lookup.kind === 'found' && asksForMore(query, lookup.object));
  return unconfirmed(isToBeAsked ? 'unreachable' : 'missing', now);
}

/** Whether the query asks for something that the lookup did not. */
function asksForMore(query: PaymentQuery, { lineItems, charge, invoice, intent }: PaymentDetails): boolean {
  return (
    (query.lineItemsOf !== null && lineItems === null) ||
    (query.charge !== null && charge === null) ||
    ((query.invoiceOf ?? query.invoice) !== null && invoice === null) ||
    (query.intent !== null && intent === null)
  );
}
