import type { Claims } from '../stripe/claims.ts';
import type { Instant } from '../time.ts';
import type { BoughtItem, PurchaseRow, PurchaseStatus } from './purchase-row.ts';
import { firstSettleDelayMs } from './reading.ts';
import type { Reading, Step } from './reading.ts';

/** What one event says about a one-time payment. */
export type PurchaseFacts = {
  /** A session outranks the payment's own metadata, whatever arrives first. */
  source: 'session' | 'payment';
  sessionId: string | null;
  chargeId: string | null;
  customerId: string | null;
  claims: Claims;
  /** Null: it says nothing about whether it was paid. */
  status: PurchaseStatus | null;
  amount: number | null;
  currency: string | null;
  amountRefunded: number | null;
  /** What was bought; null: not said here. */
  items: BoughtItem[] | null;
  created: Instant;
  eventId: string;
};

const rank: Record<PurchaseStatus, number> = { pending: 0, failed: 1, paid: 2 };

const further = (a: PurchaseStatus, b: PurchaseStatus): PurchaseStatus => (rank[b] > rank[a] ? b : a);

const greatest = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.max(a, b);

const earliest = (a: Instant | null, b: Instant | null): Instant | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b);

const said = (claims: Claims): boolean => claims.userId !== null || claims.projectId !== null;

/** A refund can fail later, so the newest charge counts; in one second the greater amount. */
function withRefund(row: PurchaseRow, amountRefunded: number | null, at: Instant): PurchaseRow {
  if (amountRefunded === null || (row.refundSnapshotAt !== null && at < row.refundSnapshotAt)) return row;
  const isTie = row.refundSnapshotAt === at;
  const amount = isTie ? Math.max(row.amountRefunded, amountRefunded) : amountRefunded;
  return { ...row, amountRefunded: amount, refundSnapshotAt: at };
}

/** Merges what an event says; every part of it is independent of the order in which events arrive. */
export function mergePurchase(row: PurchaseRow, facts: PurchaseFacts): PurchaseRow {
  const leads = facts.source === 'session';
  const takesClaims = said(facts.claims) && (leads || !said(row.claims));
  const takesItems = facts.items !== null && (leads || row.items.length === 0);
  const status = facts.status === null ? row.status : further(row.status, facts.status);
  const merged: PurchaseRow = {
    ...row,
    customerId: row.customerId ?? facts.customerId,
    claims: takesClaims ? facts.claims : row.claims,
    sessionId: facts.sessionId ?? row.sessionId,
    chargeId: facts.chargeId ?? row.chargeId,
    status,
    amount: greatest(row.amount, facts.amount),
    currency: row.currency ?? facts.currency,
    paidAt: facts.status === 'paid' ? earliest(row.paidAt, facts.created) : row.paidAt,
    items: takesItems && facts.items !== null ? facts.items : row.items,
    snapshotEventId: facts.eventId,
  };
  return withRefund(merged, facts.amountRefunded, facts.created);
}

export type PurchaseContext = { reading: Reading<BoughtItem[]> | null; now: Instant };

/** A session that does not say what was sold: its line items, which only Stripe has. */
const lacksItems = (row: PurchaseRow): boolean => row.sessionId !== null && row.items.length === 0;

export function withLineItems(row: PurchaseRow, reading: Reading<BoughtItem[]>, now: Instant): PurchaseRow {
  const settled = { settleAt: null, settleAttempts: 0 };
  if (reading.kind === 'found') return { ...row, ...settled, items: reading.object, confirmed: true };
  if (reading.kind === 'missing') return { ...row, ...settled, confirmed: false };
  return { ...row, confirmed: false, settleAt: row.settleAt ?? now + firstSettleDelayMs };
}

/** What an event does to a purchase. A row that is no purchase only remembers the refund. */
export function stepPurchase(
  stored: PurchaseRow,
  facts: PurchaseFacts,
  { reading, now }: PurchaseContext,
): Step<PurchaseRow> {
  const merged = mergePurchase(stored, facts);
  const asksForItems = facts.source === 'session' && facts.items === null;
  if (!asksForItems || (stored.sessionId !== null && !lacksItems(stored)))
    return { kind: 'write', row: merged, outcome: 'applied' };
  if (reading === null) return { kind: 'read' };
  return { kind: 'write', row: withLineItems(merged, reading, now), outcome: 'applied' };
}
