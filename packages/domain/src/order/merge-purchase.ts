import { withKnownProducts } from '../stripe/bought-items.ts';
import type { BoughtItem } from '../stripe/bought-items.ts';
import type { Claims } from '../stripe/claims.ts';
import type { InvoiceDetails } from '../stripe/invoice.ts';
import { earliest } from '../time.ts';
import type { Instant } from '../time.ts';
import { refundedOf, withCapture } from './capture.ts';
import type { Capture } from './capture.ts';
import { claimSources } from './purchase-row.ts';
import type {
  ClaimSource,
  PaymentClaim,
  PaymentRecord,
  PurchaseRow,
  PurchaseStatus,
} from './purchase-row.ts';
import { amountReturned, gravestDispute, withCharge, withDispute, withRefund } from './reversals.ts';
import type { RefundChange, Reversals } from './reversals.ts';

/** What one event says about a payment. */
export type PurchaseFacts = {
  /** Null: it claims nothing about who bought what (a refund, a dispute, a payment without our metadata). */
  claimSource: ClaimSource | null;
  sessionId: string | null;
  chargeId: string | null;
  /** A session's own invoice; of a payment the one that it pays, which is rendered before 2025-03-31 (basil) only. */
  invoiceId: string | null;
  customerId: string | null;
  claims: Claims;
  /** Null: the event does not say whether the payment was paid. */
  status: PurchaseStatus | null;
  amount: number | null;
  currency: string | null;
  capture: Capture | null;
  /** Of a charge. */
  amountRefunded: number | null;
  refund: RefundChange | null;
  dispute: { id: string; status: string } | null;
  /** Of a purchase that is keyed by its invoice. */
  invoice: InvoiceDetails | null;
  /** What was bought; null: the event does not say. */
  items: BoughtItem[] | null;
  /** More or other things may have been bought than `items`. */
  mayHoldMore: boolean;
  created: Instant;
  eventId: string;
};

const rank: Record<PurchaseStatus, number> = { pending: 0, failed: 1, paid: 2 };

/** `paid` stays: a failure takes nothing back, and after a failed try another one may succeed. */
export const further = (a: PurchaseStatus, b: PurchaseStatus): PurchaseStatus => (rank[b] > rank[a] ? b : a);

/** The lesser of two ids, so that their order does not matter. */
const lesser = (a: string | null, b: string | null): string | null =>
  a === null || b === null ? (a ?? b) : a < b ? b : a;

const isNewer = (at: Instant, eventId: string, than: { at: Instant | null; eventId: string | null }) =>
  than.at === null || at > than.at || (at === than.at && eventId > (than.eventId ?? ''));

function withClaim(record: PaymentRecord, facts: PurchaseFacts): PaymentRecord['said'] {
  const { claimSource, created, eventId } = facts;
  if (claimSource === null) return record.said;
  const known = record.said[claimSource];
  if (known !== undefined && !isNewer(created, eventId, known)) return record.said;
  const { customerId, claims, amount, currency, items, mayHoldMore } = facts;
  return {
    ...record.said,
    [claimSource]: { at: created, eventId, customerId, claims, amount, currency, items, mayHoldMore },
  };
}

function withReversals(
  reversals: Reversals,
  { amountRefunded, refund, dispute, created }: PurchaseFacts,
): Reversals {
  const charged = amountRefunded === null ? reversals : withCharge(reversals, amountRefunded, created);
  const refunded = refund === null ? charged : withRefund(charged, refund, created);
  return dispute === null ? refunded : withDispute(refunded, dispute, created);
}

/** All claims, by the order of `claimSources`. */
const claimsOf = ({ said }: PaymentRecord): PaymentClaim[] =>
  claimSources.flatMap((source) => said[source] ?? []);

/** What the claims say was bought; null: they do not say. */
const claimedItems = (record: PaymentRecord): BoughtItem[] | null =>
  claimsOf(record).find((one) => one.items !== null)?.items ?? null;

/**
 * Project and user, each from the first object that claims it, metadata before a hint. Where an older version of the
 * service kept no source in the record, that of the row stays.
 */
function mergedClaims({ said }: PaymentRecord, before: Claims): Claims {
  const all = claimSources.flatMap((source) => said[source]?.claims ?? []);
  const named = all.filter((claims) => claims.userId !== null);
  const user = named.find((claims) => claims.userSource === 'metadata') ?? named[0];
  const isSame = user?.userId === before.userId;
  return {
    projectId: all.find((claims) => claims.projectId !== null)?.projectId ?? null,
    userId: user?.userId ?? null,
    userSource: user?.userSource ?? (isSame ? before.userSource : null),
  };
}

/** What was bought: as it is claimed, if that is certain to be all; else by what was looked up. */
function itemsOf(record: PaymentRecord): BoughtItem[] {
  const { said, lineItems } = record;
  const claim = said.session ?? said.invoice;
  const isWhole = claim !== undefined && claim.items !== null && claim.mayHoldMore !== true;
  const claimed = claimedItems(record) ?? [];
  const items = isWhole || lineItems === null || lineItems.length === 0 ? claimed : lineItems;
  // Not from what was looked up for another question: whether that was asked depends on the order of arrival.
  return withKnownProducts(
    items,
    claimsOf(record).flatMap((one) => one.items ?? []),
  );
}

/** Whether an event without our metadata was recorded depends on the order, so others go first. */
const paidAtOf = ({ record: { paid }, paidAt }: PurchaseRow): Instant | null =>
  paid.claimed ?? paid.reported ?? paid.lookup ?? paidAt;

/** The row with the fields that are computed from its record. */
export function derivePurchase(row: PurchaseRow): PurchaseRow {
  const { record } = row;
  const claimed = claimsOf(record);
  const amounts = claimed.flatMap((one) => one.amount ?? []);
  const chargeAmount = amounts.length === 0 ? record.chargeAmount : null;
  const items = itemsOf(record);
  const namedId = row.receiptId ?? row.invoiceId;
  // An invoice disqualifies a payment only where it is a subscription's; a session's payment is never one.
  const isKnownOneOff = record.invoice !== null && record.invoice.subscriptionId === null;
  const isSold = row.sessionId !== null || (isKnownOneOff && (items.length > 0 || row.status !== 'pending'));
  // A subscription's payment buys nothing by itself, whatever it claims.
  const isOthers =
    !isSold && record.said.invoice === undefined && typeof record.invoice?.subscriptionId === 'string';
  return {
    ...row,
    ...(isOthers ? { status: 'pending' as const } : {}),
    customerId: claimed.find((one) => one.customerId !== null)?.customerId ?? null,
    claims: mergedClaims(record, row.claims),
    invoiceId: isSold ? null : namedId,
    receiptId: isSold ? namedId : null,
    subscriptionId: record.invoice?.subscriptionId ?? null,
    paidAt: isOthers ? null : paidAtOf(row),
    amount: record.capture?.captured ?? (amounts.length === 0 ? chargeAmount : Math.max(...amounts)),
    currency: claimed.find((one) => one.currency !== null)?.currency ?? null,
    amountRefunded: refundedOf(amountReturned(record.money).amount, record.capture),
    disputeStatus: gravestDispute(record.money),
    record: { ...record, chargeAmount },
    items,
  };
}

function withPaid(row: PurchaseRow, { status, claimSource, created }: PurchaseFacts): PaymentRecord['paid'] {
  const { paid } = row.record;
  if (status !== 'paid') return paid;
  const source = claimSource === null ? 'reported' : 'claimed';
  // A row from before this was kept says only when it was paid.
  const before = Object.keys(paid).length === 0 ? row.paidAt : null;
  return { ...paid, [source]: earliest(paid[source] ?? before, created) };
}

/** Merges an event into the row. Every part is independent of the order of arrival (invariant "order does not matter"). */
export function mergePurchase(row: PurchaseRow, facts: PurchaseFacts): PurchaseRow {
  const { created, eventId } = facts;
  const { record } = row;
  const isLast = isNewer(created, eventId, { at: row.snapshotAt, eventId: row.snapshotEventId });
  return derivePurchase({
    ...row,
    sessionId: lesser(row.sessionId, facts.sessionId),
    chargeId: lesser(row.chargeId, facts.chargeId),
    invoiceId: lesser(row.receiptId ?? row.invoiceId, facts.invoiceId),
    receiptId: null,
    status: facts.status === null ? row.status : further(row.status, facts.status),
    record: {
      ...record,
      said: withClaim(record, facts),
      money: withReversals(record.money, facts),
      paid: withPaid(row, facts),
      capture: withCapture(record.capture, facts.capture),
      invoice: record.invoice ?? facts.invoice,
    },
    ...(isLast ? { snapshotAt: created, snapshotEventId: eventId } : {}),
  });
}
