import { compareEvaluations } from '../entitlements/derive-entitlements.ts';
import type { Evaluation } from '../entitlements/evaluate.ts';
import { sumOrUnlimited, timesQuantity } from './amounts.ts';
import { isLimit, settingsOf } from './features.ts';
import type { FeatureSettings, LimitSettings } from './features.ts';
import type { StorableJson } from './storable-json.ts';
import { defaultsOf, grantingAt } from './usage-sources.ts';
import type { UsageInput } from './usage-sources.ts';
import type { BucketSource } from './usage-state.ts';

export type CombinedLimit = {
  /** Null: unlimited. */
  limit: number | null;
  value: StorableJson | null;
  /** What `GET /entitlements` lists. */
  source: BucketSource;
  sourceId: string;
};

/** What one source says of a limit, in the order in which sources are listed. */
type Said = Omit<CombinedLimit, 'value'> & { isAddOn: boolean; value: StorableJson | undefined };

type From = Pick<CombinedLimit, 'source' | 'sourceId'>;

const saidBy = ({ limit, per_unit: perUnit, add_on: isAddOn, value }: LimitSettings, quantity: number) => ({
  limit: timesQuantity(limit, perUnit ? quantity : 1),
  isAddOn,
  value,
});

const nothing = { limit: 0, isAddOn: true, value: undefined };

function saidOf(from: From, settings: FeatureSettings | undefined, quantity: number): Said {
  return { ...from, ...(isLimit(settings) ? saidBy(settings, quantity) : nothing) };
}

/** What one source, or one item of it, says of a limit. */
export function saidByEvaluation(evaluation: Evaluation, code: string): Said {
  const { source, sourceId, quantity } = evaluation;
  if (evaluation.source === 'manual') {
    const { amount } = evaluation.of;
    return { source, sourceId, ...nothing, ...(amount === undefined ? {} : { limit: amount }) };
  }
  const from = evaluation.source === 'default' ? evaluation.of : evaluation.item;
  return saidOf({ source, sourceId }, settingsOf(from?.features, code), quantity);
}

const greater = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? null : Math.max(a, b);

/**
 * The limit of a user: the greatest of the base sources plus the sum of those with `add_on`; each item of a subscription
 * counts by itself, a grant's amount as an add-on. `value` is that of the first listed source that has one. Null: the
 * user does not have the feature.
 */
export function combineLimits(input: UsageInput): CombinedLimit | null {
  const code = input.featureCode;
  const said = [
    ...grantingAt(input, input.now)
      .toSorted(compareEvaluations)
      .map((one) => saidByEvaluation(one, code)),
    ...defaultsOf(input).map(({ productId, features }) =>
      saidOf({ source: 'default', sourceId: productId }, settingsOf(features, code), 1),
    ),
  ];
  const [listed] = said;
  if (listed === undefined) return null;
  const base = said.filter((one) => !one.isAddOn).map((one) => one.limit);
  const addOns = said.filter((one) => one.isAddOn).map((one) => one.limit);
  return {
    limit: sumOrUnlimited([base.reduce(greater, 0), ...addOns]),
    value: said.find((one) => one.value !== undefined)?.value ?? null,
    source: listed.source,
    sourceId: listed.sourceId,
  };
}
