import { defaultsInForce } from '../entitlements/evaluate-defaults.ts';
import type { Evaluation } from '../entitlements/evaluate.ts';
import type { Instant } from '../time.ts';
import { bucketTermsAt } from './bucket-terms.ts';
import { saidByEvaluation } from './combine-limits.ts';
import type { UsageContext } from './entitlement-usage.ts';
import { featureOf, isLimit, settingsOf } from './features.ts';
import type { BucketTerms } from './terms.ts';
import type { UsageInput } from './usage-sources.ts';

/** Why a source gives as much of a feature as it does. */
export const usageWhys = [
  'allowance',
  'trial_allowance',
  'past_due_withheld',
  'limit',
  'add_on',
  'amount',
  'no_settings',
  'not_in_force',
] as const;
export type UsageWhy = (typeof usageWhys)[number];

/** What one source, or one item of it, gives of a limit or metered feature now. */
export type ExplainedUsage = {
  featureCode: string;
  kind: 'limit' | 'metered';
  /** The limit, or what its bucket is worth without what was rolled over. Null: unlimited. */
  gives: number | null;
  why: UsageWhy;
  /** The bucket of a metered feature; null: there is none. */
  bucket: {
    /** The rule of its periods, such as `billing`, `month` or `month@Europe/Berlin`. */
    period: string;
    start: Instant;
    end: Instant | null;
    /** From when on it cannot be burnt. */
    endsAt: Instant | null;
    overageLimit: number | null;
    rolloverPeriods: number;
  } | null;
};

type OfSource = { evaluation: Evaluation; featureCode: string };

function whyOfLimit({ evaluation, featureCode }: OfSource): UsageWhy {
  if (evaluation.source === 'manual') return evaluation.of.amount === undefined ? 'no_settings' : 'amount';
  const from = evaluation.source === 'default' ? evaluation.of : evaluation.item;
  const settings = settingsOf(from?.features, featureCode);
  if (!isLimit(settings)) return 'no_settings';
  return settings.add_on ? 'add_on' : 'limit';
}

const explainLimit = (of: OfSource): ExplainedUsage => ({
  featureCode: of.featureCode,
  kind: 'limit',
  gives: saidByEvaluation(of.evaluation, of.featureCode).limit,
  why: whyOfLimit(of),
  bucket: null,
});

function whyOfBucket({ isWithheld, isTrial, source }: BucketTerms): UsageWhy {
  if (isWithheld) return 'past_due_withheld';
  if (isTrial) return 'trial_allowance';
  return source === 'manual' ? 'amount' : 'allowance';
}

function explainMetered(input: UsageInput): ExplainedUsage {
  const common = { featureCode: input.featureCode, kind: 'metered' } as const;
  const [terms] = bucketTermsAt(input, input.now);
  if (terms === undefined) return { ...common, gives: 0, why: 'no_settings', bucket: null };
  const { period, start, end, endsAt, overageLimit, rollover } = terms;
  return {
    ...common,
    gives: terms.isWithheld ? 0 : terms.allowance,
    why: whyOfBucket(terms),
    bucket: { period, start, end, endsAt, overageLimit, rolloverPeriods: rollover?.periods ?? 0 },
  };
}

/** What an explanation says of a source's limits and metered features, and why. */
export function explainUsage(
  evaluation: Evaluation,
  context: Omit<UsageContext, 'defaults'>,
): ExplainedUsage[] {
  const { features, policy, now, renewalAllowanceMs } = context;
  return [...new Set(evaluation.featureCodes)].flatMap((featureCode): ExplainedUsage[] => {
    const feature = featureOf(features, featureCode);
    const { kind } = feature;
    if (kind === 'boolean') return [];
    if (!evaluation.inForce) return [{ featureCode, kind, gives: 0, why: 'not_in_force', bucket: null }];
    if (kind === 'limit') return [explainLimit({ evaluation, featureCode })];
    const input = {
      featureCode,
      feature,
      policy,
      now,
      renewalAllowanceMs,
      defaults: defaultsInForce([evaluation]),
    };
    return [explainMetered({ ...input, evaluations: [evaluation] })];
  });
}
