import type { AccessPolicy } from '../policy.ts';
import { dayMs } from '../time.ts';
import type { Instant } from '../time.ts';
import type {
  GrantSource,
  LastEvent,
  PaymentState,
  PurchaseItemSource,
  PurchaseSource,
  SubscriptionItemSource,
  SubscriptionSource,
} from './sources.ts';

export const reasons = [
  'in_force',
  'past_due_in_grace',
  'past_due_grace_over',
  'unpaid',
  'incomplete',
  'incomplete_expired',
  'paused',
  'canceled',
  'period_over',
  'not_started',
  'payment_pending',
  'payment_failed',
  'refunded',
  'disputed',
  'revoked',
  'unmapped_price',
  'state_unknown',
] as const;
export type Reason = (typeof reasons)[number];

export type SourceKind = 'subscription' | 'purchase' | 'manual';

/** What one source (one item of it) gives, or why it gives nothing. */
export type Evaluation = {
  source: SourceKind;
  sourceId: string;
  stripePriceId: string | null;
  featureCodes: readonly string[];
  inForce: boolean;
  reason: Reason;
  status: string;
  validFrom: Instant | null;
  /** When access ends if nothing more is heard; null: never. */
  validTo: Instant | null;
  currentPeriodEnd: Instant | null;
  quantity: number;
  confirmed: boolean;
  lastEvent: LastEvent | null;
};

export type EvaluationContext = { policy: AccessPolicy; now: Instant; renewalAllowanceMs: number };

type Verdict = { reason: Reason; validTo: Instant | null };

const inForceReasons: ReadonlySet<Reason> = new Set<Reason>(['in_force', 'past_due_in_grace']);

const openDisputes: ReadonlySet<string> = new Set(['needs_response', 'under_review']);

/**
 * Whether the money of a payment was taken back (Stripe docs, "Disputes", "Refunds"). An inquiry
 * (`warning_…`) moves no money and changes nothing.
 */
export function reversalOf(payment: PaymentState, policy: AccessPolicy): 'refunded' | 'disputed' | null {
  const { amount, amountRefunded, disputeStatus } = payment;
  // Rounded: 0.07 × 100 is a little more than 7 in binary fractions.
  const enough = amount === null ? null : Math.round(policy.partial_refund_threshold * amount * 1e6) / 1e6;
  const refundIsEnough = amountRefunded > 0 && enough !== null && amountRefunded >= enough;
  if (refundIsEnough) return 'refunded';
  if (policy.dispute === 'ignore' || disputeStatus === null) return null;
  return disputeStatus === 'lost' || openDisputes.has(disputeStatus) ? 'disputed' : null;
}

/**
 * When Stripe ends the subscription: `ended_at ?? cancel_at ?? (cancel_at_period_end ? earliest item end : none)`.
 * The Customer Portal sets `cancel_at` alone (changelog 2025-09-30); with mixed intervals the boolean
 * means the earliest item's end.
 */
export function endOf(subscription: SubscriptionSource): Instant | null {
  if (subscription.endedAt !== null) return subscription.endedAt;
  if (subscription.cancelAt !== null) return subscription.cancelAt;
  if (!subscription.cancelAtPeriodEnd) return null;
  const ends = subscription.items.flatMap((item) => item.currentPeriodEnd ?? []);
  return ends.length === 0 ? null : Math.min(...ends);
}

/** A missing period never means "ends now": without one there is no end until one is heard. */
function runningUntil(
  item: SubscriptionItemSource,
  end: Instant | null,
  allowanceMs: number,
): Instant | null {
  if (end !== null) return end;
  return item.currentPeriodEnd === null ? null : item.currentPeriodEnd + allowanceMs;
}

function earlier(a: Instant | null, b: Instant | null): Instant | null {
  if (a === null) return b;
  return b === null ? a : Math.min(a, b);
}

function evaluateStatus(
  subscription: SubscriptionSource,
  item: SubscriptionItemSource,
  { policy, now, renewalAllowanceMs }: EvaluationContext,
): Verdict {
  const end = endOf(subscription);
  const allowedBy = (rule: 'allow' | 'deny', reason: Reason): Verdict =>
    rule === 'allow' ? { reason: 'in_force', validTo: end } : { reason, validTo: null };
  switch (subscription.status) {
    case null:
      return { reason: 'state_unknown', validTo: null };
    case 'active':
    case 'trialing':
      if (subscription.collectionPaused && policy.pause_collection === 'deny')
        return { reason: 'paused', validTo: null };
      return { reason: 'in_force', validTo: runningUntil(item, end, renewalAllowanceMs) };
    case 'past_due': {
      // The failed payment is that of the current period: its start is the next best thing we know.
      const since = subscription.pastDueSince ?? item.currentPeriodStart ?? now;
      const graceEnd = since + policy.past_due_grace_days * dayMs;
      const reason = now < graceEnd ? 'past_due_in_grace' : 'past_due_grace_over';
      return { reason, validTo: earlier(end, graceEnd) };
    }
    case 'unpaid':
      return allowedBy(policy.unpaid, 'unpaid');
    case 'paused':
      return allowedBy(policy.paused, 'paused');
    case 'incomplete':
      return allowedBy(policy.incomplete, 'incomplete');
    case 'incomplete_expired':
      return { reason: 'incomplete_expired', validTo: end };
    case 'canceled':
      return { reason: 'canceled', validTo: end };
  }
}

function subscriptionVerdict(
  subscription: SubscriptionSource,
  item: SubscriptionItemSource,
  context: EvaluationContext,
): Verdict {
  const verdict = evaluateStatus(subscription, item, context);
  if (!inForceReasons.has(verdict.reason)) return verdict;
  if (verdict.validTo !== null && verdict.validTo <= context.now)
    return { ...verdict, reason: endOf(subscription) === null ? 'period_over' : 'canceled' };
  const reversal =
    subscription.periodPayment === null ? null : reversalOf(subscription.periodPayment, context.policy);
  if (reversal !== null) return { ...verdict, reason: reversal };
  return item.featureCodes === null ? { ...verdict, reason: 'unmapped_price' } : verdict;
}

/** Stands for the items of a subscription of which only the name is known. */
const noItem: SubscriptionItemSource = {
  stripePriceId: '',
  quantity: 0,
  currentPeriodStart: null,
  currentPeriodEnd: null,
  featureCodes: null,
};

/**
 * One evaluation for each item: items of one subscription may end at different times. Without items there is
 * one all the same, as every source has to be explained.
 */
export function evaluateSubscription(
  subscription: SubscriptionSource,
  context: EvaluationContext,
): Evaluation[] {
  const items = subscription.items.length === 0 ? [noItem] : subscription.items;
  return items.map((item) => {
    const verdict = subscriptionVerdict(subscription, item, context);
    return {
      source: 'subscription',
      sourceId: subscription.id,
      stripePriceId: item.stripePriceId === '' ? null : item.stripePriceId,
      featureCodes: item.featureCodes ?? [],
      inForce: inForceReasons.has(verdict.reason),
      reason: verdict.reason,
      status: subscription.status ?? 'unknown',
      validFrom: item.currentPeriodStart,
      validTo: verdict.validTo,
      currentPeriodEnd: item.currentPeriodEnd,
      quantity: item.quantity,
      confirmed: subscription.confirmed,
      lastEvent: subscription.lastEvent,
    };
  });
}

function purchaseReason(
  purchase: PurchaseSource,
  until: Instant | null,
  { policy, now }: EvaluationContext,
): Reason {
  if (purchase.status === 'pending') return 'payment_pending';
  if (purchase.status === 'failed') return 'payment_failed';
  const reversal = reversalOf(purchase.payment, policy);
  if (reversal !== null) return reversal;
  return until !== null && until <= now ? 'period_over' : 'in_force';
}

/** Stands for what a purchase sold while nobody has said it. */
const nothingSold: PurchaseItemSource = {
  stripePriceId: '',
  quantity: 0,
  featureCodes: null,
  accessDays: null,
};

export function evaluatePurchase(purchase: PurchaseSource, context: EvaluationContext): Evaluation[] {
  const items = purchase.items.length === 0 ? [nothingSold] : purchase.items;
  return items.map((item) => {
    const validTo =
      item.accessDays === null || purchase.paidAt === null ? null : purchase.paidAt + item.accessDays * dayMs;
    const stored = purchaseReason(purchase, validTo, context);
    const reason = stored === 'in_force' && item.featureCodes === null ? 'unmapped_price' : stored;
    return {
      source: 'purchase',
      sourceId: purchase.id,
      stripePriceId: item.stripePriceId === '' ? null : item.stripePriceId,
      featureCodes: item.featureCodes ?? [],
      inForce: reason === 'in_force',
      reason,
      status: purchase.status,
      validFrom: purchase.paidAt,
      validTo,
      currentPeriodEnd: null,
      quantity: item.quantity,
      confirmed: purchase.confirmed,
      lastEvent: purchase.lastEvent,
    };
  });
}

function grantReason(grant: GrantSource, now: Instant): Reason {
  if (grant.revokedAt !== null) return 'revoked';
  if (grant.validFrom > now) return 'not_started';
  return grant.validTo !== null && grant.validTo <= now ? 'period_over' : 'in_force';
}

export function evaluateGrant(grant: GrantSource, { now }: EvaluationContext): Evaluation {
  const reason = grantReason(grant, now);
  return {
    source: 'manual',
    sourceId: grant.id,
    stripePriceId: null,
    featureCodes: [grant.featureCode],
    inForce: reason === 'in_force',
    reason,
    status: grant.revokedAt === null ? 'granted' : 'revoked',
    validFrom: grant.validFrom,
    validTo: grant.validTo,
    currentPeriodEnd: null,
    quantity: 1,
    confirmed: true,
    lastEvent: null,
  };
}
