import { dayMs, earliest } from '../time.ts';
import type { Instant } from '../time.ts';
import { isQuarantined } from './evaluate.ts';
import type { Evaluation, EvaluationContext, Reason } from './evaluate.ts';
import { reversalOfItem } from './reversal.ts';
import type { SubscriptionItemSource, SubscriptionSource } from './sources.ts';

/** When access ends (null: no end), and why it is or is not in force. */
type Access = { reason: Reason; validTo: Instant | null };

const inForceReasons: ReadonlySet<Reason> = new Set<Reason>(['in_force', 'past_due_in_grace']);

/**
 * When Stripe ends the subscription: `ended_at ?? cancel_at ?? (cancel_at_period_end ? earliest item end : none)`.
 * Stripe: the Customer Portal sets `cancel_at` alone (since 2025-09-30, clover); with mixed intervals the
 * boolean means the earliest item's end.
 */
export function endOf(subscription: SubscriptionSource): Instant | null {
  if (subscription.endedAt !== null) return subscription.endedAt;
  if (subscription.cancelAt !== null) return subscription.cancelAt;
  if (!subscription.cancelAtPeriodEnd) return null;
  const ends = subscription.items.flatMap((item) => item.currentPeriodEnd ?? []);
  return ends.length === 0 ? null : Math.min(...ends);
}

/**
 * When access ends if nothing more is heard of a subscription that is paid for period by period: at the end of the
 * known period and the time that its renewal may take. An end within the period is exact; a later one (`cancel_at` of
 * a schedule or a fixed term) says nothing about the renewals until then.
 */
function endIfSilent(
  end: Instant | null,
  item: SubscriptionItemSource | null,
  renewalAllowanceMs: number,
): Instant | null {
  const periodEnd = item?.currentPeriodEnd ?? null;
  if (periodEnd === null) return end;
  if (end !== null && end <= periodEnd) return end;
  return earliest(end, periodEnd + renewalAllowanceMs);
}

/**
 * What Stripe's status and the policy alone say. `active` and `trialing` are in force whatever the period's
 * start says, as Stripe's test clocks run ahead of ours. A missing period never means "ends now".
 */
function accessByStatus(
  subscription: SubscriptionSource,
  item: SubscriptionItemSource | null,
  { policy, now, renewalAllowanceMs }: EvaluationContext,
): Access {
  const end = endOf(subscription);
  const accessBy = (rule: 'allow' | 'deny', reason: Reason): Access =>
    rule === 'allow' ? { reason: 'in_force', validTo: end } : { reason, validTo: null };
  switch (subscription.status) {
    case null:
      return { reason: 'state_unknown', validTo: null };
    case 'active':
    case 'trialing': {
      if (subscription.collectionPaused && policy.pause_collection === 'deny')
        return { reason: 'paused', validTo: null };
      return { reason: 'in_force', validTo: endIfSilent(end, item, renewalAllowanceMs) };
    }
    case 'past_due': {
      // Without a recorded start: the failed payment is that of the current period.
      const since = subscription.pastDueSince ?? item?.currentPeriodStart ?? now;
      const graceEnd = since + policy.past_due_grace_days * dayMs;
      const reason = now < graceEnd ? 'past_due_in_grace' : 'past_due_grace_over';
      return { reason, validTo: earliest(end, graceEnd) };
    }
    case 'unpaid':
      return accessBy(policy.unpaid, 'unpaid');
    case 'paused':
      return accessBy(policy.paused, 'paused');
    case 'incomplete':
      return accessBy(policy.incomplete, 'incomplete');
    case 'incomplete_expired':
      return { reason: 'incomplete_expired', validTo: end };
    case 'canceled':
      return { reason: 'canceled', validTo: end };
  }
}

/**
 * The status first, then the clock, then refunds and disputes of what paid for the item's current period, then whether
 * the owner counts, then the catalog.
 */
function evaluateItem(
  subscription: SubscriptionSource,
  item: SubscriptionItemSource | null,
  context: EvaluationContext,
): Access {
  const access = accessByStatus(subscription, item, context);
  if (!inForceReasons.has(access.reason)) return access;
  if (access.validTo !== null && access.validTo <= context.now) {
    const end = endOf(subscription);
    return { ...access, reason: end === null || end > context.now ? 'period_over' : 'canceled' };
  }
  const reversal = item === null ? null : reversalOfItem(item, subscription.reversedPayments, context.policy);
  if (reversal !== null) return { ...access, reason: reversal };
  if (item?.quantity === 0) return { ...access, reason: 'quantity_zero' };
  if (isQuarantined(subscription, context)) return { ...access, reason: 'buyer_hint' };
  return (item?.featureCodes ?? null) === null ? { ...access, reason: 'unmapped_price' } : access;
}

/**
 * One evaluation for each item, as the items of a subscription may end at different times; one as well where
 * the items are not known, as every source is explained.
 */
export function evaluateSubscription(
  subscription: SubscriptionSource,
  context: EvaluationContext,
): Evaluation[] {
  const items = subscription.items.length === 0 ? [null] : subscription.items;
  return items.map((item) => {
    const { reason, validTo } = evaluateItem(subscription, item, context);
    return {
      source: 'subscription',
      sourceId: subscription.id,
      stripePriceId: item?.stripePriceId ?? null,
      featureCodes: item?.featureCodes ?? [],
      inForce: inForceReasons.has(reason),
      reason,
      status: subscription.status ?? 'unknown',
      validFrom: item?.currentPeriodStart ?? null,
      validTo,
      currentPeriodEnd: item?.currentPeriodEnd ?? null,
      quantity: item?.quantity ?? 0,
      confirmed: subscription.confirmed,
      of: subscription,
      item,
    };
  });
}
