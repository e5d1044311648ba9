import { compareTexts } from '../compare-texts.ts';
import type { Evaluation, StoredEvaluation } from '../entitlements/evaluate.ts';
import { endOf } from '../entitlements/evaluate-subscription.ts';
import type {
  GrantSource,
  PurchaseItemSource,
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
  /** Which of the packs of one purchase it is; 0 for all else. */
  pack: number;
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
    pack: 0,
  };
}

const neverWithheld = { trialUntil: null, paid: null, isWithheld: () => false } as const;

const isOfPack = ({ period }: MeteredSettings): boolean => period === 'once' || period === 'billing';

/** In days; those without end are the longest. */
const lengthOf = ({ accessDays, quantity }: PurchaseItemSource): number =>
  accessDays === null ? Number.POSITIVE_INFINITY : accessDays * quantity;

/** What ends together whatever else is bought: all without end, and what else is of one product. */
const endingWith = ({ accessDays, productId }: PurchaseItemSource): string =>
  accessDays === null ? '' : `of ${productId ?? ''}`;

/**
 * Which of the packs of one purchase the item is, the longest first. By what was bought, not by when it ends now: another
 * purchase puts off the end of one of them, and each keeps what was used of it.
 */
function packOf({ items }: PurchaseSource, item: PurchaseItemSource, featureCode: string): number {
  const packs = items
    .filter(({ features }) => {
      const settings = settingsOf(features, featureCode);
      return isMetered(settings) && isOfPack(settings);
    })
    .toSorted((a, b) => lengthOf(b) - lengthOf(a) || compareTexts(endingWith(a), endingWith(b)));
  return Math.max(0, [...new Set(packs.map(endingWith))].indexOf(endingWith(item)));
}

function ofPurchase(
  of: PurchaseSource,
  { validTo, quantity, item }: Pick<Evaluation, 'validTo' | 'quantity'> & { item: PurchaseItemSource },
  { settings, input }: { settings: MeteredSettings; input: UsageInput },
): SourceTerms {
  const startedAt = of.paidAt ?? 0;
  const isPack = isOfPack(settings);
  return {
    ...neverWithheld,
    source: 'purchase',
    sourceId: of.id,
    settings,
    // A pack is bought so many times.
    quantity: isPack || settings.per_unit ? quantity : 1,
    startedAt,
    knownFrom: startedAt,
    exactEnd: validTo,
    paidAt: startedAt,
    pack: isPack ? packOf(of, item, input.featureCode) : 0,
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
  pack: 0,
});

/** Null: the source gives no allowance of the feature. */
export function sourceTermsOf(evaluation: StoredEvaluation, input: UsageInput): SourceTerms | null {
  if (evaluation.source === 'manual') {
    const { amount } = evaluation.of;
    return amount === undefined ? null : ofGrant(evaluation.of, amount);
  }
  const settings = settingsOf(evaluation.item?.features, input.featureCode);
  if (!isMetered(settings)) return null;
  if (evaluation.item === null) return null;
  if (evaluation.source === 'subscription')
    return ofSubscription(evaluation.of, evaluation.item, { settings, input });
  const { of, item, validTo, quantity } = evaluation;
  return ofPurchase(of, { item, validTo, quantity }, { settings, input });
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
  pack: 0,
});
