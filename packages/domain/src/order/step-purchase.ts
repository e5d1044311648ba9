import type { Claims } from '../stripe/claims.ts';
import { noClaims } from '../stripe/claims.ts';
import type { Instant } from '../time.ts';
import { amountBack, gravestDispute, withCharge, withDispute, withRefund } from './money-back.ts';
import type { MoneyBack, RefundChange } from './money-back.ts';
import { claimSources } from './purchase-row.ts';
import type { BoughtItem, PaymentRecord, PaymentSaid, ClaimSource } from './purchase-row.ts';
import type { PurchaseRow, PurchaseStatus } from './purchase-row.ts';

/** What one event says about a payment. */
export type PurchaseFacts = {
  /** Null: a refund or a dispute, which says nothing of what was bought and by whom. */
  claimSource: ClaimSource | null;
  sessionId: string | null;
  chargeId: string | null;
  /** Rendered before 2025-03-31 only. */
  invoiceId: string | null;
  customerId: string | null;
  claims: Claims;
  /** Null: it says nothing about whether it was paid. */
  status: PurchaseStatus | null;
  amount: number | null;
  currency: string | null;
  /** By a charge. */
  amountRefunded: number | null;
  refund: RefundChange | null;
  dispute: { id: string; status: string } | null;
  /** What was bought; null: not said here. */
  items: BoughtItem[] | null;
  created: Instant;
  eventId: string;
};

const rank: Record<PurchaseStatus, number> = { pending: 0, failed: 1, paid: 2 };

/** Paid absorbs the rest: a failure takes nothing, and what failed may have been paid by another try. */
const further = (a: PurchaseStatus, b: PurchaseStatus): PurchaseStatus => (rank[b] > rank[a] ? b : a);

const earliest = (a: Instant | null, b: Instant | null): Instant | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b);

/** One of two ids, the same in whatever order they come. */
const either = (a: string | null, b: string | null): string | null =>
  a === null || b === null ? (a ?? b) : a < b ? b : a;

const isNewer = (at: Instant, eventId: string, than: { at: Instant | null; eventId: string | null }) =>
  than.at === null || at > than.at || (at === than.at && eventId > (than.eventId ?? ''));

const said = (claims: Claims): boolean => claims.userId !== null || claims.projectId !== null;

function withSaid(record: PaymentRecord, facts: PurchaseFacts): PaymentRecord['said'] {
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

function withMoney(money: MoneyBack, { amountRefunded, refund, dispute, created }: PurchaseFacts): MoneyBack {
  const charged = amountRefunded === null ? money : withCharge(money, amountRefunded, created);
  const refunded = refund === null ? charged : withRefund(charged, refund, created);
  return dispute === null ? refunded : withDispute(refunded, dispute, created);
}

/** Who said what, the leading claimSource first. */
function claimSourcesOf({ said: known }: PaymentRecord): PaymentSaid[] {
  return claimSources.flatMap((claimSource) => known[claimSource] ?? []);
}

/** What the payment itself says was bought: line items need not be read where it does. */
export function itemsSaid(record: PaymentRecord): BoughtItem[] | null {
  return claimSourcesOf(record).find((one) => one.items !== null)?.items ?? null;
}

/** The fields that are computed from what was told: a pure function of the record. */
export function derivePurchase(row: PurchaseRow): PurchaseRow {
  const { record } = row;
  const facts = claimSourcesOf(record);
  const amounts = facts.flatMap((one) => one.amount ?? []);
  const chargeAmount = amounts.length === 0 ? record.chargeAmount : null;
  const items = itemsSaid(record);
  return {
    ...row,
    customerId: facts.find((one) => one.customerId !== null)?.customerId ?? null,
    claims: facts.find((one) => said(one.claims))?.claims ?? noClaims,
    amount: amounts.length === 0 ? chargeAmount : Math.max(...amounts),
    currency: facts.find((one) => one.currency !== null)?.currency ?? null,
    amountRefunded: amountBack(record.money).amount,
    disputeStatus: gravestDispute(record.money),
    record: { ...record, chargeAmount, lineItems: items === null ? record.lineItems : null },
    items: items ?? record.lineItems ?? [],
  };
}

/** Merges what an event says; every part of it is independent of the order in which events arrive. */
export function mergePurchase(row: PurchaseRow, facts: PurchaseFacts): PurchaseRow {
  const { created, eventId } = facts;
  const isLast = isNewer(created, eventId, { at: row.snapshotAt, eventId: row.snapshotEventId });
  return derivePurchase({
    ...row,
    sessionId: either(row.sessionId, facts.sessionId),
    chargeId: either(row.chargeId, facts.chargeId),
    invoiceId: either(row.invoiceId, facts.invoiceId),
    status: facts.status === null ? row.status : further(row.status, facts.status),
    paidAt: facts.status === 'paid' ? earliest(row.paidAt, created) : row.paidAt,
    record: {
      ...row.record,
      said: withSaid(row.record, facts),
      money: withMoney(row.record.money, facts),
    },
    ...(isLast ? { snapshotAt: created, snapshotEventId: eventId } : {}),
  });
}
