import { defaultsInForce } from '../entitlements/evaluate-defaults.ts';
import type { DerivedEntitlements, Entitlement } from '../entitlements/derive-entitlements.ts';
import { earliest, lastInstant, toTimestamp, toTimestampOrNull } from '../time.ts';
import type { Instant } from '../time.ts';
import { deriveUsage } from './account.ts';
import type { UsageOffer } from './account.ts';
import { sumOrUnlimited } from './amounts.ts';
import { offerChangesAt } from './check.ts';
import { featureOf } from './features.ts';
import type { FeatureKind, FeaturesByCode } from './features.ts';
import type { StorableJson } from './storable-json.ts';
import type { UsageInput } from './usage-sources.ts';

/** What an entry of `GET /entitlements` says of the feature, beside what every entry says. */
export type EntitlementUsage =
  | { kind: Extract<FeatureKind, 'boolean'> }
  | { kind: Extract<FeatureKind, 'limit'>; limit: number | null; value: StorableJson | null }
  | {
      kind: Extract<FeatureKind, 'metered'>;
      /** Of the listed source, without what was rolled over; null: unlimited. */
      allowance: number | null;
      period_start: string | null;
      period_end: string | null;
    };

/** A limit is that of all sources, an allowance that of the listed one: of its periods the one that ends soonest. */
export function entitlementUsageOf(
  { input, limit, terms }: UsageOffer,
  { source, sourceId }: Pick<Entitlement, 'sourceId'> & { source: string },
): EntitlementUsage {
  const { kind } = input.feature;
  if (kind === 'boolean') return { kind };
  if (kind === 'limit') return { kind, limit: limit === null ? 0 : limit.limit, value: limit?.value ?? null };
  const own = terms
    .filter((one) => one.source === source && one.sourceId === sourceId)
    .toSorted((a, b) => (a.end ?? lastInstant) - (b.end ?? lastInstant));
  const [first] = own;
  if (first === undefined) return { kind, allowance: 0, period_start: null, period_end: null };
  const samePeriod = own.filter((one) => one.start === first.start && one.end === first.end);
  return {
    kind,
    allowance: sumOrUnlimited(samePeriod.map((one) => (one.isWithheld ? 0 : one.allowance))),
    period_start: toTimestamp(first.start),
    period_end: toTimestampOrNull(first.end),
  };
}

/** What usage depends on besides a user's sources, of all features of a project. */
export type UsageContext = Pick<UsageInput, 'defaults' | 'policy' | 'now' | 'renewalAllowanceMs'> & {
  features: FeaturesByCode;
};

/** What is offered of one feature of the project. */
export const offerOf = (
  evaluations: UsageInput['evaluations'],
  featureCode: string,
  { features, defaults, policy, now, renewalAllowanceMs }: UsageContext,
): UsageOffer =>
  deriveUsage({
    featureCode,
    feature: featureOf(features, featureCode),
    evaluations,
    defaults,
    policy,
    now,
    renewalAllowanceMs,
  });

export type DerivedUsage = {
  /** By the code of each feature in force that is a limit or metered. */
  usage: ReadonlyMap<string, EntitlementUsage>;
  /** The next moment at which the entitlements or what is offered changes without an event; null: never. */
  validUntil: Instant | null;
};

/** What entries of `GET /entitlements` say besides, and until when. */
export function deriveEntitlementUsage(
  { entitlements, evaluations, validUntil }: DerivedEntitlements,
  context: Omit<UsageContext, 'defaults'>,
): DerivedUsage {
  const defaults = defaultsInForce(evaluations);
  const usage = new Map<string, EntitlementUsage>();
  let until = validUntil;
  for (const entitlement of entitlements) {
    if (featureOf(context.features, entitlement.featureCode).kind === 'boolean') continue;
    const offer = offerOf(evaluations, entitlement.featureCode, { ...context, defaults });
    usage.set(entitlement.featureCode, entitlementUsageOf(offer, entitlement));
    until = earliest(until, offerChangesAt(offer));
  }
  return { usage, validUntil: until };
}
