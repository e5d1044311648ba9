import type { Entitlement } from '../entitlements/derive-entitlements.ts';
import { lastInstant, toTimestamp, toTimestampOrNull } from '../time.ts';
import type { UsageOffer } from './account.ts';
import { sumOrUnlimited } from './amounts.ts';
import type { FeatureKind } from './features.ts';
import type { StorableJson } from './storable-json.ts';

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
