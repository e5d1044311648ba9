import type { Claims } from '../stripe/claims.ts';
import { earliest } from '../time.ts';
import type { Instant } from '../time.ts';
import { claimSources } from './purchase-row.ts';
import type {
  BoughtItem,
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
  /** Null: a refund or a dispute, which claims nothing about who bought what. */
  claimSource: ClaimSource | null;
  sessionId: string | null;
  chargeId: string | null;
  /** Rendered before 2025-03-31 (basil) only. */
  invoiceId: string | null;
  customerId: string | null;
  claims: Claims;
  /** Null: the event does not say whether the payment was paid. */
  status: PurchaseStatus | null;
  amount: number | null;
  currency: string | null;
  /** Of a charge. */
  amountRefunded: number | null;
  refund: RefundChange | null;
  dispute: { id: string; status: string } | null;
  /** What was bought; null: the event does not say. */
  items: BoughtItem[] | null;
  created: Instant;
  eventId: string;
};

const rank: Record<PurchaseStatus, number> = { pending: 0, failed: 1, paid: 2 };

/** `paid` stays: a failure takes nothing back, and after a failed try another one may succeed. */
const further = (a: PurchaseStatus, b: PurchaseStatus): PurchaseStatus => (rank[b] > rank[a] ? b : a);

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
  const { customerId, claims, amount, currency, items } = facts;
  return {
    ...record.said,
    [claimSource]: { at: created, eventId, customerId, claims, amount, currency, items },
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

/** What the claims say was bought; null: they do not say, and the session's line items have to be looked up. */
export const claimedItems = (record: PaymentRecord): BoughtItem[] | null =>
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

/** The row with the fields that are computed from its record. */
export function derivePurchase(row: PurchaseRow): PurchaseRow {
  const { record } = row;
  const claimed = claimsOf(record);
  const amounts = claimed.flatMap((one) => one.amount ?? []);
  const chargeAmount = amounts.length === 0 ? record.chargeAmount : null;
  const items = claimedItems(record);
  return {
    ...row,
    customerId: claimed.find((one) => one.customerId !== null)?.customerId ?? null,
    claims: mergedClaims(record, row.claims),
    amount: amounts.length === 0 ? chargeAmount : Math.max(...amounts),
    currency: claimed.find((one) => one.currency !== null)?.currency ?? null,
    amountRefunded: amountReturned(record.money).amount,
    disputeStatus: gravestDispute(record.money),
    record: { ...record, chargeAmount, lineItems: items === null ? record.lineItems : null },
    items: items ?? record.lineItems ?? [],
  };
}

/** Merges an event into the row. Every part is independent of the order of arrival (invariant "order does not matter"). */
export function mergePurchase(row: PurchaseRow, facts: PurchaseFacts): PurchaseRow {
  const { created, eventId } = facts;
  const isLast = isNewer(created, eventId, { at: row.snapshotAt, eventId: row.snapshotEventId });
  return derivePurchase({
    ...row,
    sessionId: lesser(row.sessionId, facts.sessionId),
    chargeId: lesser(row.chargeId, facts.chargeId),
    invoiceId: lesser(row.invoiceId, facts.invoiceId),
    status: facts.status === null ? row.status : further(row.status, facts.status),
    paidAt: facts.status === 'paid' ? earliest(row.paidAt, created) : row.paidAt,
    record: {
      ...row.record,
      said: withClaim(row.record, facts),
      money: withReversals(row.record.money, facts),
    },
    ...(isLast ? { snapshotAt: created, snapshotEventId: eventId } : {}),
  });
}
