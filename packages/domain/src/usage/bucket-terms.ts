import { earliest } from '../time.ts';
import type { Instant } from '../time.ts';
import { timesQuantity } from './amounts.ts';
import { isMetered, settingsOf } from './features.ts';
import { mergeTerms } from './merge-terms.ts';
import { periodAt } from './period-rule.ts';
import type { PeriodRule } from './period-rule.ts';
import type { Period } from './periods.ts';
import { defaultTerms, sourceTermsOf } from './source-terms.ts';
import type { SourceTerms } from './source-terms.ts';
import type { BucketTerms } from './terms.ts';
import { defaultsOf, grantingAt } from './usage-sources.ts';
import type { UsageInput } from './usage-sources.ts';

function ruleOf({ settings, paid, startedAt }: SourceTerms, zone: string): PeriodRule {
  const { period, anchor } = settings;
  if (period === 'billing') return paid === null ? { kind: 'once' } : { kind: 'billing', ...paid };
  if (period === 'once') return { kind: 'once' };
  return anchor === 'calendar'
    ? { kind: 'calendar', unit: period, zone }
    : { kind: 'from', unit: period, anchor: startedAt };
}

const labelOf = (rule: PeriodRule): string => {
  if (rule.kind === 'calendar') return `${rule.unit}@${rule.zone}`;
  return rule.kind === 'from' ? rule.unit : rule.kind;
};

/** The allowance of the period by today's settings, and when it changes within the period. */
function worthOf(
  { settings, quantity, trialUntil }: SourceTerms,
  { start, end }: Period,
  at: Instant,
): Pick<BucketTerms, 'allowance' | 'isTrial' | 'changesAt'> {
  const { allowance, trial_allowance: ofTrial } = settings;
  const whole = timesQuantity(allowance, quantity);
  const paid = { allowance: whole, isTrial: false, changesAt: null };
  if (ofTrial === undefined || trialUntil === null) return paid;
  // A paid period is a trial's or not; days and months may have a trial's end within them.
  const isTrial = settings.period === 'billing' ? start < trialUntil : at < trialUntil;
  if (!isTrial) return paid;
  const changesAt = settings.period !== 'billing' && (end === null || trialUntil < end) ? trialUntil : null;
  return { allowance: timesQuantity(ofTrial, quantity), isTrial, changesAt };
}

function toTerms(of: SourceTerms, zone: string, at: Instant, now: Instant): BucketTerms | null {
  const { settings, exactEnd } = of;
  const rule = ruleOf(of, zone);
  const period = periodAt(rule, { at, now, startedAt: of.startedAt });
  if (period === null) return null;
  const end = rule.kind === 'once' ? exactEnd : period.end;
  return {
    source: of.source,
    sourceId: of.sourceId,
    period: of.pack === 0 ? labelOf(rule) : `${labelOf(rule)}#${of.pack}`,
    start: period.start,
    end,
    endsAt: earliest(end, exactEnd),
    renews: rule.kind !== 'once' && end !== null && (exactEnd === null || exactEnd > end),
    rule,
    ...worthOf(of, period, at),
    isWithheld: of.isWithheld(at),
    allowsOverage: settings.overage === 'allow',
    overageLimit: settings.overage === 'allow' ? settings.overage_limit : 0,
    rollover:
      settings.rollover === undefined || of.source === 'default'
        ? null
        : { periods: settings.rollover.periods, max: settings.rollover.max ?? null },
    knownFrom: of.knownFrom,
    paidAt: of.paidAt,
  };
}

/**
 * The buckets of a metered feature at a moment: one for each source and rule of periods. For the present, of what is in
 * force; for the past, of what then was, as far as it still is known.
 */
export function bucketTermsAt(input: UsageInput, at: Instant): BucketTerms[] {
  const sources = [
    ...grantingAt(input, at).flatMap((one) => sourceTermsOf(one, input) ?? []),
    ...defaultsOf(input).flatMap(({ productId, features }) => {
      const settings = settingsOf(features, input.featureCode);
      return isMetered(settings) ? [defaultTerms(productId, settings)] : [];
    }),
  ];
  const zone = input.policy.usage_timezone;
  return mergeTerms(sources.flatMap((one) => toTerms(one, zone, at, input.now) ?? []));
}
