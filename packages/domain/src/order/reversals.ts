import { earliest } from '../time.ts';
import type { Instant } from '../time.ts';
import type { Capture } from './capture.ts';

/** One refund of a payment, in the furthest state that any event or lookup reported. */
export type RefundState = {
  status: string;
  amount: number;
  /** When Stripe created it, or its first event; null: not known. */
  createdAt: Instant | null;
  /** `created` of the first event with the status failed or canceled; null: only a lookup reported it. */
  failedAt: Instant | null;
};

export type DisputeState = { status: string; at: Instant };

export type ChargeSnapshot = {
  at: Instant;
  /** The charge's `amount_refunded`; of a lookup, only the part that none of the listed refunds explains. */
  amountRefunded: number;
  /** True: looked up together with its refunds, so the amount is certain. */
  isRead: boolean;
};

/**
 * Refunds and disputes of a payment, as stored in `purchases.record` (the field names are the stored JSON's).
 * Each part comes out the same in every order of arrival.
 */
export type Reversals = {
  charge: ChargeSnapshot | null;
  refunds: Record<string, RefundState>;
  disputes: Record<string, DisputeState>;
};

export const noReversals: Reversals = { charge: null, refunds: {}, disputes: {} };

/**
 * A refund only moves forward (Stripe: "The Refund object", `status`). After `failed` and `canceled` the seller
 * has the money again.
 */
const refundRank: Record<string, number> = {
  pending: 0,
  requires_action: 1,
  succeeded: 2,
  canceled: 3,
  failed: 4,
};

const isUndone = ({ status }: { status: string }): boolean => status === 'failed' || status === 'canceled';

/** How far a dispute is, for events of one second: an inquiry (`warning_…`) may become a dispute, which ends. */
const disputeOrder = [
  'warning_needs_response',
  'warning_under_review',
  'warning_closed',
  'prevented',
  'needs_response',
  'under_review',
  'won',
  'lost',
];

/** Of several disputes of a payment the gravest counts: the last in this list. */
export const disputeGravity: readonly string[] = [
  'warning_closed',
  'warning_needs_response',
  'warning_under_review',
  'prevented',
  'won',
  'under_review',
  'needs_response',
  'lost',
];

export type RefundChange = { id: string; status: string | null; amount: number; createdAt: Instant | null };

/** Adds what an event (`at`: its `created`) or a lookup (`at`: null) says of a refund. */
export function withRefund(reversals: Reversals, change: RefundChange, at: Instant | null): Reversals {
  const known = reversals.refunds[change.id];
  // Refunds before 2018 have no status: the money was returned at once.
  const status = change.status ?? 'succeeded';
  const isFurther = known === undefined || (refundRank[status] ?? 2) >= (refundRank[known.status] ?? 2);
  const failedAt = isUndone({ status }) ? earliest(known?.failedAt ?? null, at) : (known?.failedAt ?? null);
  const refund: RefundState = {
    status: isFurther ? status : known.status,
    amount: Math.max(known?.amount ?? 0, change.amount),
    createdAt: earliest(known?.createdAt ?? null, earliest(change.createdAt, at)),
    failedAt,
  };
  return { ...reversals, refunds: { ...reversals.refunds, [change.id]: refund } };
}

/** Keeps the newest `amount_refunded` of the charge; of one second the greater one, as refunds add up. */
export function withCharge(reversals: Reversals, amountRefunded: number, at: Instant): Reversals {
  const { charge } = reversals;
  if (charge !== null && (at < charge.at || (at === charge.at && charge.isRead))) return reversals;
  const amount = charge?.at === at ? Math.max(charge.amountRefunded, amountRefunded) : amountRefunded;
  return { ...reversals, charge: { at, amountRefunded: amount, isRead: false } };
}

/** Keeps the newest state of a dispute; of one second the one further along. */
export function withDispute(
  reversals: Reversals,
  { id, status }: { id: string; status: string },
  at: Instant,
): Reversals {
  const known = reversals.disputes[id];
  const isNewer =
    known === undefined ||
    at > known.at ||
    (at === known.at && disputeOrder.indexOf(status) > disputeOrder.indexOf(known.status));
  return isNewer ? { ...reversals, disputes: { ...reversals.disputes, [id]: { status, at } } } : reversals;
}

/** A charge and all its refunds, as a lookup found them. */
export type ChargeDetails = {
  chargeId: string;
  amount: number | null;
  amountRefunded: number;
  /** Null: it is an authorisation. */
  capture: Capture | null;
  refunds: RefundChange[];
};

const sum = (refunds: readonly RefundState[]): number => refunds.reduce((all, one) => all + one.amount, 0);

const standingOf = (reversals: Reversals): RefundState[] =>
  Object.values(reversals.refunds).filter((refund) => !isUndone(refund));

/** The charge and its refunds as Stripe has them now: at least as new as every event so far. */
export function withChargeDetails(reversals: Reversals, lookup: ChargeDetails): Reversals {
  const moments = Object.values(reversals.refunds).flatMap(({ createdAt, failedAt }) => [
    createdAt ?? 0,
    failedAt ?? 0,
  ]);
  const listed = lookup.refunds.reduce((all, refund) => withRefund(all, refund, null), reversals);
  const unexplained = Math.max(0, lookup.amountRefunded - sum(standingOf(listed)));
  const at = Math.max(reversals.charge?.at ?? 0, ...moments);
  return { ...listed, charge: { at, amountRefunded: unexplained, isRead: true } };
}

export type ReturnedAmount = {
  /** What the payer has back, in the currency's smallest unit. */
  amount: number;
  /** True: a refund was made or failed so close to the newest charge that its amount may include it or not. */
  isUncertain: boolean;
};

/** The `created` of two events of one act may differ by a few seconds. */
const nearMs = 10_000;

/**
 * How much the payer has back. Stripe: a charge's `amount_refunded` includes every refund made by then that had
 * not failed by then. Refunds that failed later are subtracted, refunds made later are added. Where events of
 * only one kind arrive (charges or refunds), they are enough.
 */
export function amountReturned(reversals: Reversals): ReturnedAmount {
  const { charge } = reversals;
  const standing = standingOf(reversals);
  if (charge === null) return { amount: sum(standing), isUncertain: false };
  if (charge.isRead) return { amount: sum(standing) + charge.amountRefunded, isUncertain: false };
  const isEarlier = ({ createdAt }: RefundState): boolean => (createdAt ?? 0) <= charge.at;
  const isNear = ({ createdAt }: RefundState): boolean => (createdAt ?? 0) <= charge.at + nearMs;
  const isIncluded = (refund: RefundState): boolean =>
    isEarlier(refund) && refund.failedAt !== null && refund.failedAt > charge.at;
  const isPerhapsIncluded = (refund: RefundState): boolean =>
    isNear(refund) && !isIncluded(refund) && (refund.failedAt === null || refund.failedAt >= charge.at);
  const undone = Object.values(reversals.refunds).filter(isUndone);
  const least = sum(standing.filter(isEarlier));
  const most = charge.amountRefunded - sum(undone.filter(isIncluded));
  const careful = Math.max(least, most - sum(undone.filter(isPerhapsIncluded)));
  const later = standing.filter((refund) => !isEarlier(refund));
  const countedTwice = Math.min(careful - least, sum(later.filter(isNear)));
  return {
    amount: careful + sum(later) - countedTwice,
    isUncertain: careful !== Math.max(least, most) || countedTwice > 0,
  };
}

const gravity = (status: string): number => disputeGravity.indexOf(status);

/** The gravest of several disputes' statuses; null: there is none. */
export const gravestOf = (statuses: readonly string[]): string | null =>
  [...statuses].sort((a, b) => gravity(b) - gravity(a) || (a < b ? -1 : 1))[0] ?? null;

/** Stripe's status of the gravest dispute of a payment; null: never disputed. */
export const gravestDispute = ({ disputes }: Reversals): string | null =>
  gravestOf(Object.values(disputes).map((dispute) => dispute.status));

/** Whether any refund or dispute is known, even if only from the charge's amount. */
export const hasReversals = (reversals: Reversals): boolean =>
  amountReturned(reversals).amount > 0 ||
  Object.keys(reversals.refunds).length > 0 ||
  Object.keys(reversals.disputes).length > 0;
