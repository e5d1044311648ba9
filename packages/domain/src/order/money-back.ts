import type { Instant } from '../time.ts';

/** One refund of a payment, as far along as any event has said. */
export type RefundState = {
  status: string;
  amount: number;
  /** When Stripe made it, or the first event about it; null: not said. */
  createdAt: Instant | null;
  /** `created` of the first event that called it failed or canceled; null: only a read said so. */
  failedAt: Instant | null;
};

export type DisputeState = { status: string; at: Instant };

export type ChargeSnapshot = {
  at: Instant;
  /** As the charge says; of a read, only what none of the listed refunds explains. */
  amountRefunded: number;
  /** True: read from Stripe together with its refunds, so nothing of that second is in doubt. */
  isRead: boolean;
};

/** All that is known of money that went back. Each part is the same whatever order it was told in. */
export type MoneyBack = {
  charge: ChargeSnapshot | null;
  refunds: Record<string, RefundState>;
  disputes: Record<string, DisputeState>;
};

export const noMoneyBack: MoneyBack = { charge: null, refunds: {}, disputes: {} };

/** A refund only moves forward; `failed` and `canceled` are its ends that give the money back to the seller. */
const refundRank: Record<string, number> = {
  pending: 0,
  requires_action: 1,
  succeeded: 2,
  canceled: 3,
  failed: 4,
};

const isOff = (status: string): boolean => status === 'failed' || status === 'canceled';

/** The life of a dispute, for two events of one second: an inquiry may become a dispute, which has an end. */
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

/** Of several disputes the gravest counts. */
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

const earliest = (a: Instant | null, b: Instant | null): Instant | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b);

export type RefundChange = { id: string; status: string | null; amount: number; createdAt: Instant | null };

/** `at`: of the event; null: what a read said. */
export function withRefund(money: MoneyBack, news: RefundChange, at: Instant | null): MoneyBack {
  const known = money.refunds[news.id];
  // Before 2018 refunds had no status: money that went back at once.
  const status = news.status ?? 'succeeded';
  const isFurther = known === undefined || (refundRank[status] ?? 2) >= (refundRank[known.status] ?? 2);
  const failedAt = isOff(status) ? earliest(known?.failedAt ?? null, at) : (known?.failedAt ?? null);
  const refund: RefundState = {
    status: isFurther ? status : known.status,
    amount: Math.max(known?.amount ?? 0, news.amount),
    createdAt: earliest(known?.createdAt ?? null, earliest(news.createdAt, at)),
    failedAt,
  };
  return { ...money, refunds: { ...money.refunds, [news.id]: refund } };
}

/** The newest rendering of the charge; of one second the greater amount, as refunds only add up. */
export function withCharge(money: MoneyBack, amountRefunded: number, at: Instant): MoneyBack {
  const { charge } = money;
  if (charge !== null && (at < charge.at || (at === charge.at && charge.isRead))) return money;
  const amount = charge?.at === at ? Math.max(charge.amountRefunded, amountRefunded) : amountRefunded;
  return { ...money, charge: { at, amountRefunded: amount, isRead: false } };
}

/** The newest state of a dispute; of one second the one further along. */
export function withDispute(
  money: MoneyBack,
  { id, status }: { id: string; status: string },
  at: Instant,
): MoneyBack {
  const known = money.disputes[id];
  const isNewer =
    known === undefined ||
    at > known.at ||
    (at === known.at && disputeOrder.indexOf(status) > disputeOrder.indexOf(known.status));
  return isNewer ? { ...money, disputes: { ...money.disputes, [id]: { status, at } } } : money;
}

/** What Stripe says of a charge and of all its refunds. */
export type ChargeDetails = {
  chargeId: string;
  amount: number | null;
  amountRefunded: number;
  refunds: RefundChange[];
};

const sum = (refunds: readonly RefundState[]): number => refunds.reduce((all, one) => all + one.amount, 0);

const goodOf = (money: MoneyBack): RefundState[] =>
  Object.values(money.refunds).filter((refund) => !isOff(refund.status));

/** The charge and its refunds as Stripe has them now: at least as new as every event that was told. */
export function withChargeDetails(money: MoneyBack, lookup: ChargeDetails): MoneyBack {
  const told = Object.values(money.refunds).flatMap(({ createdAt, failedAt }) => [
    createdAt ?? 0,
    failedAt ?? 0,
  ]);
  const listed = lookup.refunds.reduce((all, refund) => withRefund(all, refund, null), money);
  const unexplained = Math.max(0, lookup.amountRefunded - sum(goodOf(listed)));
  const at = Math.max(money.charge?.at ?? 0, ...told);
  return { ...listed, charge: { at, amountRefunded: unexplained, isRead: true } };
}

export type AmountBack = {
  /** In the currency's smallest unit: what the payer has back. */
  amount: number;
  /** True: a refund was made or failed so close to the newest charge that it may say either. */
  isDoubtful: boolean;
};

const isMadeBy =
  (at: Instant) =>
  (refund: RefundState): boolean =>
    (refund.createdAt ?? 0) <= at;

/** Seconds of two events of one act may differ a little. */
const nearMs = 10_000;

/**
 * How much went back. The charge's `amount_refunded` counts every refund made until then and not failed by
 * then; refunds that failed later come off, and refunds made later come on top. Where only one of both kinds
 * of events arrives, the other is enough.
 */
export function amountBack(money: MoneyBack): AmountBack {
  const { charge } = money;
  const good = goodOf(money);
  if (charge === null) return { amount: sum(good), isDoubtful: false };
  if (charge.isRead) return { amount: sum(good) + charge.amountRefunded, isDoubtful: false };
  const isEarlier = isMadeBy(charge.at);
  const isNear = isMadeBy(charge.at + nearMs);
  const isSurelyOff = (refund: RefundState): boolean =>
    isEarlier(refund) && refund.failedAt !== null && refund.failedAt > charge.at;
  const isPerhapsOff = (refund: RefundState): boolean =>
    isNear(refund) && !isSurelyOff(refund) && !(refund.failedAt !== null && refund.failedAt < charge.at);
  const off = Object.values(money.refunds).filter((refund) => isOff(refund.status));
  const offLater = sum(off.filter(isSurelyOff));
  const offThen = sum(off.filter(isPerhapsOff));
  const least = sum(good.filter(isEarlier));
  const most = Math.max(least, charge.amountRefunded - offLater);
  const careful = Math.max(least, charge.amountRefunded - offLater - offThen);
  const later = good.filter((refund) => !isEarlier(refund));
  const twice = Math.min(careful - least, sum(later.filter(isNear)));
  return { amount: careful + sum(later) - twice, isDoubtful: careful !== most || twice > 0 };
}

const gravity = (status: string): number => disputeGravity.indexOf(status);

/** Stripe's word for the gravest dispute of a payment; null: never disputed. */
export function gravestDispute({ disputes }: MoneyBack): string | null {
  const statuses = Object.values(disputes).map((dispute) => dispute.status);
  return statuses.sort((a, b) => gravity(b) - gravity(a) || (a < b ? -1 : 1))[0] ?? null;
}

/** Whether anything ever went back, or was asked back. */
export const wasTakenBack = (money: MoneyBack): boolean =>
  amountBack(money).amount > 0 ||
  Object.keys(money.refunds).length > 0 ||
  Object.keys(money.disputes).length > 0;
