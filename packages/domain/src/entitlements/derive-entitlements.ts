import { compareTexts } from '../compare-texts.ts';
import type { Instant } from '../time.ts';
import { evaluateDefaults, keepsPlace } from './evaluate-defaults.ts';
import { evaluateSubscription } from './evaluate-subscription.ts';
import { evaluateGrant, evaluatePurchases } from './evaluate.ts';
import type { EvaluationContext, Evaluation, SourceKind } from './evaluate.ts';
import type { DefaultSource, Sources } from './sources.ts';

/** A feature and what grants it: of several sources the one that lasts longest. */
export type Entitlement = {
  featureCode: string;
  validFrom: Instant | null;
  validTo: Instant | null;
  currentPeriodEnd: Instant | null;
  source: SourceKind;
  sourceId: string;
  status: string;
  quantity: number;
  confirmed: boolean;
};

export type DerivedEntitlements = {
  /** In force at `now`, one for each feature, sorted by feature code. */
  entitlements: Entitlement[];
  /** The next moment at which the answer changes without an event; null: never. */
  validUntil: Instant | null;
  /** Every source that was considered, in force or not. */
  evaluations: Evaluation[];
};

const rank: Record<SourceKind, number> = { subscription: 0, purchase: 1, manual: 2, default: 3 };

const endOrNever = ({ validTo }: Evaluation): number => validTo ?? Number.POSITIVE_INFINITY;

/**
 * The longest first; on a tie subscription, purchase, manual; default products after all others; then by id, and within a source the item whose
 * period ends last, so that the answer does not depend on the order of rows.
 */
export function compareEvaluations(a: Evaluation, b: Evaluation): number {
  const [isDefaultA, isDefaultB] = [a.source === 'default', b.source === 'default'];
  if (isDefaultA !== isDefaultB) return isDefaultA ? 1 : -1;
  if (endOrNever(a) !== endOrNever(b)) return endOrNever(a) > endOrNever(b) ? -1 : 1;
  return (
    rank[a.source] - rank[b.source] ||
    compareTexts(a.sourceId, b.sourceId) ||
    (b.currentPeriodEnd ?? 0) - (a.currentPeriodEnd ?? 0) ||
    compareTexts(a.stripePriceId ?? '', b.stripePriceId ?? '')
  );
}

function toEntitlement(featureCode: string, granting: readonly Evaluation[]): Entitlement | null {
  const [best] = [...granting].sort(compareEvaluations);
  if (best === undefined) return null;
  const sameSource = granting.filter(
    (other) => other.source === best.source && other.sourceId === best.sourceId,
  );
  return {
    featureCode,
    validFrom: best.validFrom,
    validTo: best.validTo,
    currentPeriodEnd: best.currentPeriodEnd,
    source: best.source,
    sourceId: best.sourceId,
    status: best.status,
    quantity: sameSource.reduce((sum, item) => sum + item.quantity, 0),
    confirmed: best.confirmed,
  };
}

function byFeature(evaluations: readonly Evaluation[]): Map<string, Evaluation[]> {
  const granting = new Map<string, Evaluation[]>();
  for (const evaluation of evaluations) {
    for (const featureCode of new Set(evaluation.featureCodes)) {
      const known = granting.get(featureCode);
      if (known === undefined) granting.set(featureCode, [evaluation]);
      else known.push(evaluation);
    }
  }
  return granting;
}

/** The nearest end of anything in force (even a source that is not listed: quantities may change), or start. */
function nextChange(evaluations: readonly Evaluation[], defaults: readonly DefaultSource[]): Instant | null {
  const moments = evaluations.flatMap((evaluation) => {
    if (evaluation.featureCodes.length === 0 && !keepsPlace(evaluation, defaults)) return [];
    if (evaluation.inForce) return evaluation.validTo ?? [];
    return evaluation.reason === 'not_started' ? (evaluation.validFrom ?? []) : [];
  });
  return moments.length === 0 ? null : Math.min(...moments);
}

const isInForce = (evaluation: Evaluation): boolean => evaluation.inForce;

/**
 * What a user may do at `now`: a pure function of the stored sources, the policy and the clock, never of an
 * event (invariant "level, not edge").
 */
export function deriveEntitlements(sources: Sources, context: EvaluationContext): DerivedEntitlements {
  const { defaults = [] } = sources;
  const stored = [
    ...sources.subscriptions.flatMap((subscription) => evaluateSubscription(subscription, context)),
    ...evaluatePurchases(sources.purchases, context),
    ...sources.grants.map((grant) => evaluateGrant(grant, context)),
  ];
  const evaluations = [...stored, ...evaluateDefaults(defaults, stored.filter(isInForce))];
  const inForce = evaluations.filter(isInForce);
  const entitlements = [...byFeature(inForce)]
    .sort(([a], [b]) => compareTexts(a, b))
    .flatMap(([featureCode, granting]) => toEntitlement(featureCode, granting) ?? []);
  return { entitlements, validUntil: nextChange(evaluations, defaults), evaluations };
}
