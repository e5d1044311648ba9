import type { ItemChange, RecurringInterval } from '@billing/domain';
import type { Stripe } from 'stripe';
import type { PlannedChange } from './plan-change.ts';
import type { LiveItem, Phase, Schedule } from './read-live.ts';

type PhaseParams = Stripe.SubscriptionScheduleUpdateParams.Phase;
type PhaseItem = PhaseParams['items'][number];
export type SchedulePlan = Pick<
  Stripe.SubscriptionScheduleUpdateParams,
  'phases' | 'end_behavior' | 'proration_behavior'
>;

type RenderedItem = Phase['items'][number];

/** What an item has besides price and quantity. */
function extrasOf(item: RenderedItem | undefined): Omit<PhaseItem, 'price' | 'quantity'> {
  if (item === undefined) return {};
  const { metadata, tax_rates: taxRates, discounts } = item;
  return {
    ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
    ...(taxRates.length > 0 ? { tax_rates: taxRates } : {}),
    ...(discounts.length > 0 ? { discounts } : {}),
  };
}

/** What a phase does not name ends with it: discounts, tax rates, the trial. */
const namedOf = ({ discounts, default_tax_rates: taxRates, metadata }: Phase): Partial<PhaseParams> => ({
  ...(discounts.length > 0 ? { discounts } : {}),
  ...(taxRates.length > 0 ? { default_tax_rates: taxRates } : {}),
  ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
});

const countedOf = (isMetered: boolean, quantity: number): { quantity?: number } =>
  isMetered ? {} : { quantity };

function changedItem(change: ItemChange, current: Phase): PhaseItem[] {
  if (change.kind === 'remove') return [];
  const after = change.kind === 'keep' ? change.before : change.after;
  const before = change.kind === 'add' ? undefined : change.before.stripePriceId;
  const extras = extrasOf(current.items.find(({ price }) => price === before));
  return [{ ...extras, price: after.stripePriceId, ...countedOf(after.isMetered, after.quantity) }];
}

const otherItem = (item: LiveItem, current: Phase): PhaseItem => ({
  ...extrasOf(current.items.find(({ price }) => price === item.stripePriceId)),
  price: item.stripePriceId,
  ...countedOf(item.usageType === 'metered', item.quantity),
});

/** A period of what comes: after it the schedule lets the subscription go. */
function periodOf({ changes, others }: PlannedChange): {
  interval: RecurringInterval;
  interval_count: number;
} {
  const [first] = changes.flatMap((change) =>
    change.kind === 'remove' ? [] : [change.kind === 'keep' ? change.before : change.after],
  );
  const [other] = others;
  return {
    interval: first?.interval ?? other?.interval ?? 'month',
    interval_count: first?.intervalCount ?? other?.intervalCount ?? 1,
  };
}

/** The phase that the subscription is in; null: the schedule does not say. */
export const currentPhase = ({ current_phase: current, phases }: Schedule): Phase | null =>
  phases.find(({ start_date: start }) => start === current?.start_date) ?? null;

/** Whether a schedule will change something. */
export const hasLaterPhase = (managing: Schedule): boolean => {
  const end = managing.current_phase?.end_date ?? 0;
  return managing.phases.some(({ start_date: start }) => start >= end);
};

/**
 * Two phases: what is there until the period ends, and what is wanted after it. A subscription that is to end later still
 * ends then.
 */
export function planPhases(plan: PlannedChange, current: Phase): SchedulePlan {
  const { live, changes, others, periodEnd } = plan;
  const named = namedOf(current);
  const trialEnd = current.trial_end ?? null;
  const endsAt = live.cancel_at ?? null;
  return {
    phases: [
      {
        ...named,
        items: current.items.map((item) => ({
          ...extrasOf(item),
          price: item.price,
          ...(typeof item.quantity === 'number' ? { quantity: item.quantity } : {}),
        })),
        start_date: current.start_date,
        end_date: periodEnd,
        ...(trialEnd === null ? {} : { trial_end: Math.min(trialEnd, periodEnd) }),
      },
      {
        ...named,
        items: [
          ...others.map((item) => otherItem(item, current)),
          ...changes.flatMap((change) => changedItem(change, current)),
        ],
        proration_behavior: 'none',
        ...(endsAt === null ? { duration: periodOf(plan) } : { end_date: endsAt }),
      },
    ],
    end_behavior: endsAt === null ? 'release' : 'cancel',
    proration_behavior: 'none',
  };
}
