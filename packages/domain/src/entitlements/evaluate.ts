import type { AccessPolicy } from '../policy.ts';
import type { Instant } from '../time.ts';
import { chainPurchases, endAlone } from './chain-purchases.ts';
import type { ChainEnds } from './chain-purchases.ts';
import { reversalOf } from './reversal.ts';
import type {
  DefaultSource,
  GrantSource,
  PurchaseItemSource,
  PurchaseSource,
  SubscriptionItemSource,
  SubscriptionSource,
} from './sources.ts';

/** Why a source grants its features or does not, as the API explains it. */
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
  'buyer_hint',
  'unmapped_price',
  'quantity_zero',
  'group_occupied',
  'state_unknown',
] as const;
export type Reason = (typeof reasons)[number];

export const sourceKinds = ['subscription', 'purchase', 'manual', 'default'] as const;
export type SourceKind = (typeof sourceKinds)[number];

/** What was evaluated: the source, and the item of it (null: it has none, or they are not known). */
type Evaluated =
  | { source: 'subscription'; of: SubscriptionSource; item: SubscriptionItemSource | null }
  | { source: 'purchase'; of: PurchaseSource; item: PurchaseItemSource | null }
  | { source: 'manual'; of: GrantSource; item: null }
  | { source: 'default'; of: DefaultSource; item: null };

/** What one source, or one item of it, grants, and why. */
export type Evaluation = Evaluated & {
  sourceId: string;
  /** Null: the source has no price, or its items are not known. */
  stripePriceId: string | null;
  featureCodes: readonly string[];
  inForce: boolean;
  reason: Reason;
  status: string;
  validFrom: Instant | null;
  /** When access ends if no further event arrives; null: no end. */
  validTo: Instant | null;
  currentPeriodEnd: Instant | null;
  quantity: number;
  confirmed: boolean;
};

/** Of what is stored of the user, so of anything but a default product. */
export type StoredEvaluation = Exclude<Evaluation, { source: 'default' }>;

export type EvaluationContext = { policy: AccessPolicy; now: Instant; renewalAllowanceMs: number };

/** Whether an owner that a buyer typed keeps a source from granting anything. */
export const isQuarantined = (
  { ownerSource }: Pick<SubscriptionSource | PurchaseSource, 'ownerSource'>,
  { policy }: Pick<EvaluationContext, 'policy'>,
): boolean => ownerSource === 'buyer_hint' && policy.accept_buyer_hints === 'quarantine';

function purchaseReason(
  purchase: PurchaseSource,
  { item, validTo }: { item: PurchaseItemSource | null; validTo: Instant | null },
  context: EvaluationContext,
): Reason {
  const { policy, now } = context;
  if (purchase.status === 'pending') return 'payment_pending';
  if (purchase.status === 'failed') return 'payment_failed';
  const reversal = reversalOf(purchase.payment, policy);
  if (reversal !== null) return reversal;
  if (item?.quantity === 0) return 'quantity_zero';
  if (validTo !== null && validTo <= now) return 'period_over';
  if (isQuarantined(purchase, context)) return 'buyer_hint';
  return (item?.featureCodes ?? null) === null ? 'unmapped_price' : 'in_force';
}

/**
 * One evaluation for each item; one as well where the items are not known, as every source is explained. Access lasts
 * for ever, or to the end of its chain (`chainPurchases`); what is in no chain (not paid, taken back, in quarantine) is shown with
 * the end that it would have by itself.
 */
function evaluatePurchase(
  purchase: PurchaseSource,
  chainEnds: ChainEnds,
  context: EvaluationContext,
): Evaluation[] {
  const items = purchase.items.length === 0 ? [null] : purchase.items;
  return items.map((item) => {
    const validTo = item === null ? null : (chainEnds.get(item) ?? endAlone(purchase, item));
    const reason = purchaseReason(purchase, { item, validTo }, context);
    return {
      source: 'purchase',
      sourceId: purchase.id,
      stripePriceId: item?.stripePriceId ?? null,
      featureCodes: item?.featureCodes ?? [],
      inForce: reason === 'in_force',
      reason,
      status: purchase.status,
      validFrom: purchase.paidAt,
      validTo,
      currentPeriodEnd: null,
      quantity: item?.quantity ?? 0,
      confirmed: purchase.confirmed,
      of: purchase,
      item,
    };
  });
}

/** All purchases of one user: those of one product follow each other in time. */
export function evaluatePurchases(
  purchases: readonly PurchaseSource[],
  context: EvaluationContext,
): Evaluation[] {
  const counting = purchases.filter(
    (purchase) =>
      purchase.status === 'paid' &&
      reversalOf(purchase.payment, context.policy) === null &&
      !isQuarantined(purchase, context),
  );
  const chainEnds = chainPurchases(counting);
  return purchases.flatMap((purchase) => evaluatePurchase(purchase, chainEnds, context));
}

function grantReason(grant: GrantSource, now: Instant): Reason {
  if (grant.revokedAt !== null) return 'revoked';
  if (grant.validFrom > now) return 'not_started';
  return grant.validTo !== null && grant.validTo <= now ? 'period_over' : 'in_force';
}

/** A manual grant is in force from `validFrom` (inclusive) to `validTo` (exclusive), unless it is revoked. */
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
    of: grant,
    item: null,
  };
}
