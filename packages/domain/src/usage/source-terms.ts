import type { Evaluation, StoredEvaluation } from '../entitlements/evaluate.ts';
import { endOf } from '../entitlements/evaluate-subscription.ts';
import type {
  GrantSource,
  PurchaseSource,
  SubscriptionItemSource,
  SubscriptionSource,
} from '../entitlements/sources.ts';
import type { Instant } from '../time.ts';
import { isMetered, settingsOf } from './features.ts';
import type { MeteredSettings } from './features.ts';
import type { UsageInput } from './usage-sources.ts';
import type { BucketSource } from './usage-state.ts';

/** A source as far as buckets depend on it. */
export type SourceTerms = {
  source: BucketSource;
  sourceId: string;
  settings: MeteredSettings;
  quantity: number;
  startedAt: Instant;
  knownFrom: Instant;
  exactEnd: Instant | null;
  /** Paid period of a subscription's item, and until when the clock alone begins the next one (null: it does not). */
  paid: { start: Instant; end: Instant | null; clockUntil: Instant | null } | null;
  trialUntil: Instant | null;
  isWithheld: (at: Instant) => boolean;
  paidAt: Instant;
};

/** Statuses in which Stripe renews period by period. */
const renewing: ReadonlySet<string> = new Set(['active', 'trialing', 'past_due', 'unpaid']);

const known = (moments: readonly (Instant | null | undefined)[]): Instant[] =>
  moments.filter((one) => one !== null && one !== undefined);

/** `start_date`; of older rows the earliest period heard. */
function startOf({ startDate, items }: SubscriptionSource): Instant {
  if (startDate !== null) return startDate;
  const heard = known(items.flatMap((item) => [item.firstPeriodStart, item.currentPeriodStart]));
  return heard.length === 0 ? 0 : Math.min(...heard);
}

/** The end of the trial as far as it has one. A status other than trialing says that it is over, whatever our clock says. */
function trialUntilOf({ status, trialEnd }: SubscriptionSource, now: Instant): Instant | null {
  if (trialEnd === null) return null;
  return status === 'trialing' ? trialEnd : Math.min(trialEnd, now);
}

function ofSubscription(
  of: SubscriptionSource,
  item: SubscriptionItemSource,
  { settings, input }: { settings: MeteredSettings; input: UsageInput },
): SourceTerms {
  const { currentPeriodStart: heardStart, currentPeriodEnd: end } = item;
  const startedAt = startOf(of);
  const start = heardStart ?? startedAt;
  const renews = of.status !== null && renewing.has(of.status);
  const withholds = of.status === 'past_due' && input.policy.past_due_allowance === 'withhold';
  return {
    source: 'subscription',
    sourceId: of.id,
    settings,
    quantity: settings.per_unit ? item.quantity : 1,
    startedAt,
    knownFrom: Math.max(startedAt, item.firstPeriodStart ?? start),
    exactEnd: endOf(of),
    paid: { start, end, clockUntil: renews && end !== null ? end + input.renewalAllowanceMs : null },
    trialUntil: settings.period === 'billing' ? of.trialEnd : trialUntilOf(of, input.now),
    isWithheld: (at) => withholds && (at >= start || at >= input.now),
    paidAt: 0,
  };
}

const neverWithheld = { trialUntil: null, paid: null, isWithheld: () => false } as const;

function ofPurchase(
  { id: sourceId, paidAt }: PurchaseSource,
  { validTo, quantity }: Evaluation,
  settings: MeteredSettings,
): SourceTerms {
  const startedAt = paidAt ?? 0;
  const isPack = settings.period === 'once' || settings.period === 'billing';
  return {
    ...neverWithheld,
    source: 'purchase',
    sourceId,
    settings,
    // A pack is bought so many times.
    quantity: isPack || settings.per_unit ? quantity : 1,
    startedAt,
    knownFrom: startedAt,
    exactEnd: validTo,
    paidAt: startedAt,
  };
}

const grantSettings: Omit<MeteredSettings, 'allowance'> = {
  period: 'once',
  anchor: 'source',
  per_unit: false,
  overage: 'deny',
  overage_limit: null,
};

const ofGrant = (
  { id: sourceId, validFrom, validTo }: GrantSource,
  allowance: number | null,
): SourceTerms => ({
  ...neverWithheld,
  source: 'manual',
  sourceId,
  settings: { ...grantSettings, allowance },
  quantity: 1,
  startedAt: validFrom,
  knownFrom: validFrom,
  exactEnd: validTo,
  paidAt: 0,
});

/** Null: the source gives no allowance of the feature. */
export function sourceTermsOf(evaluation: StoredEvaluation, input: UsageInput): SourceTerms | null {
  if (evaluation.source === 'manual') {
    const { amount } = evaluation.of;
    return amount === undefined ? null : ofGrant(evaluation.of, amount);
  }
  const settings = settingsOf(evaluation.item?.features, input.featureCode);
  if (!isMetered(settings)) return null;
  if (evaluation.source === 'purchase') return ofPurchase(evaluation.of, evaluation, settings);
  const { of, item } = evaluation;
  return item === null ? null : ofSubscription(of, item, { settings, input });
}

/** Default products count by the calendar, and roll nothing over. */
export const defaultTerms = (sourceId: string, settings: MeteredSettings): SourceTerms => ({
  ...neverWithheld,
  source: 'default',
  sourceId,
  settings: {
    ...settings,
    anchor: 'calendar',
    period: settings.period === 'billing' ? 'month' : settings.period,
  },
  quantity: 1,
  startedAt: 0,
  knownFrom: 0,
  exactEnd: null,
  paidAt: 0,
});
