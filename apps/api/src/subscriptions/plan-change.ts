import { keepsAll, planItems, ServiceError, toStripeItems, whenToChange } from '@billing/domain';
import type {
  ChangeTime,
  CurrentItem,
  ItemChange,
  PlanTerms,
  StripeItemUpdate,
  WantedChange,
  WantedItem,
} from '@billing/domain';
import { readPlans } from '@billing/store';
import type { NamedPlan, SoldItem } from '@billing/store';
import type { AppDeps } from '../deps.ts';
import { requireLive } from './find-subscription.ts';
import { splitItems } from './own-items.ts';
import type { LiveItem, LiveSubscription } from './read-live.ts';

/** Who wants what to be changed. `userId`: whose the subscription is. */
export type ItemsOrder = { projectId: string; subscriptionId: string; userId: string; wanted: WantedChange };

/** How Stripe names what becomes of the difference. */
export type ProrationBehavior = 'always_invoice' | 'create_prorations' | 'none';

export type PlannedChange = {
  live: LiveSubscription;
  changes: ItemChange[];
  /** What Stripe is asked to update. */
  items: StripeItemUpdate[];
  /** Items that are not the project's, and stay. */
  others: LiveItem[];
  /** False: there is nothing to change. */
  isChange: boolean;
  effective: ChangeTime;
  /** Unix seconds: the end of the period. */
  periodEnd: number;
  proration: ProrationBehavior;
};

const behaviorOf = {
  invoice_now: 'always_invoice',
  prorate: 'create_prorations',
  none: 'none',
} as const;

/** Throws `not_changeable`. */
function requireChangeable(live: LiveSubscription): void {
  const { status, pause_collection: pause } = live;
  requireLive(live, 'not_changeable');
  if (status === 'paused' || (pause !== null && pause !== undefined))
    throw new ServiceError('not_changeable', 'Resume the subscription first: it is paused.');
}

const planOf = (item: LiveItem, sold: SoldItem | undefined): CurrentItem => ({
  itemId: item.itemId,
  stripePriceId: item.stripePriceId,
  group: sold?.group ?? null,
  rank: sold?.rank ?? null,
  unitAmount: item.unitAmount,
  interval: item.interval ?? 'month',
  intervalCount: item.intervalCount ?? 1,
  isMetered: item.usageType === 'metered',
  quantity: item.quantity,
});

type Wanted = WantedChange['items'][number];

const refuseField = (path: string, message: string): ServiceError =>
  new ServiceError('invalid_request', 'Correct the items.', { errors: [{ path, message }] });

function fromCatalog(plan: NamedPlan): PlanTerms {
  const { interval } = plan;
  if (interval === 'one_time')
    throw new ServiceError('mode_mismatch', `Sell ${plan.named} by a checkout: it is paid once.`);
  const { stripePriceId, group, rank, unitAmount, intervalCount, usageType } = plan;
  const terms = { stripePriceId, group, rank, unitAmount, interval, intervalCount };
  return { ...terms, isMetered: usageType === 'metered' };
}

/** The price that an item names: one that the subscription has, or one of the catalog that is still sold. */
function resolveItem(
  { price_id: named, quantity }: Wanted,
  { current, plans, path }: { current: readonly CurrentItem[]; plans: readonly NamedPlan[]; path: string },
): WantedItem {
  const plan = plans.find((one) => one.named === named);
  const known = current.find(({ stripePriceId }) => stripePriceId === (plan?.stripePriceId ?? named));
  const found = known ?? plan;
  if (found === undefined)
    throw new ServiceError(
      'price_not_found',
      "Use the id of one of this project's prices, ours or Stripe's.",
    );
  if (known === undefined && plan?.isArchived === true)
    throw new ServiceError('price_archived', `Offer a price that is still sold in place of ${named}.`);
  const terms = 'itemId' in found ? found : fromCatalog(found);
  if (terms.isMetered && quantity !== undefined)
    throw refuseField(`${path}.quantity`, 'must be left out: a meter counts the quantity of this price');
  return { ...terms, quantity: quantity ?? 1 };
}

/** Throws `invalid_request` for a price that is named twice, and `group_conflict` for two plans of a group. */
function requireDistinct(wanted: readonly WantedItem[]): void {
  for (const [index, { stripePriceId, group }] of wanted.entries()) {
    const before = wanted.slice(0, index);
    if (before.some((one) => one.stripePriceId === stripePriceId))
      throw refuseField(`items.${index}.price_id`, 'is named twice');
    if (group !== null && before.some((one) => one.group === group))
      throw new ServiceError('group_conflict', `Name one plan of the group ${group}.`);
  }
}

/** Where the items that change have different ends, the last: nobody loses what is paid. */
function endOfPeriod(items: readonly LiveItem[], changes: readonly ItemChange[]): number {
  const changed = new Set(
    changes.flatMap((change) =>
      change.kind === 'exchange' || change.kind === 'remove' ? [change.before.itemId] : [],
    ),
  );
  const ends = items.filter(({ itemId }) => changed.has(itemId)).map(({ periodEnd }) => periodEnd);
  return ends.length > 0 ? Math.max(...ends) : Math.min(...items.map(({ periodEnd }) => periodEnd));
}

/**
 * What a change makes of a subscription as Stripe has it. Throws `not_changeable`, `price_not_found`, `price_archived`,
 * `mode_mismatch`, `group_conflict`, `invalid_request`.
 */
export async function planChange(
  { database }: Pick<AppDeps, 'database'>,
  live: LiveSubscription,
  { projectId, wanted }: Pick<ItemsOrder, 'projectId' | 'wanted'>,
): Promise<PlannedChange> {
  requireChangeable(live);
  const items = live.items.data;
  const prices = wanted.items.map(({ price_id: named }) => named);
  const { named: plans, sold } = await readPlans(database, { projectId, prices, items });
  const soldOf = ({ stripePriceId }: LiveItem): SoldItem | undefined =>
    sold.find((one) => one.stripePriceId === stripePriceId);
  const { own, others, isShared } = splitItems(items, { projectId, sold });
  const current = own.map((item) => planOf(item, soldOf(item)));
  if (wanted.items.length === 0 && !isShared)
    throw refuseField('items', 'must not be empty: cancel the subscription instead');
  const resolved = wanted.items.map((item, index) =>
    resolveItem(item, { current, plans, path: `items.${index}` }),
  );
  requireDistinct(resolved);
  const changes = planItems({ current, wanted: resolved });
  const { effective = 'auto', proration = 'invoice_now' } = wanted;
  const plan: PlannedChange = {
    live,
    changes,
    items: toStripeItems(changes),
    others,
    isChange: !keepsAll(changes),
    effective: effective === 'auto' ? whenToChange(changes) : effective,
    periodEnd: endOfPeriod(items, changes),
    proration: behaviorOf[proration],
  };
  requireTime(plan);
  return plan;
}

/** Throws `not_changeable` where the subscription ends before a later change would come. */
function requireTime({ live, isChange, effective, periodEnd }: PlannedChange): void {
  if (!isChange || effective === 'now') return;
  if (live.cancel_at_period_end === true || (live.cancel_at ?? Infinity) <= periodEnd)
    throw new ServiceError('not_changeable', 'Resume the subscription first: it ends with its period.');
}
