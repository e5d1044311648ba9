import { findOccupied, itemsAfter } from '@billing/domain';
import type { OrderedItem, PlanTerms } from '@billing/domain';
import { readSale } from '@billing/store';
import { refuseSecond } from '../checkout/prepare-sale.ts';
import type { AppDeps } from '../deps.ts';
import type { ItemsOrder, PlannedChange } from './plan-change.ts';

/** What a user has once at most: a plan of a group, or a price that has none. */
const slotOf = ({ group, stripePriceId }: Pick<PlanTerms, 'group' | 'stripePriceId'>): string =>
  JSON.stringify(group === null ? [stripePriceId] : ['group', group]);

/** What the change brings into the subscription that was not in it. */
function broughtIn({ changes }: PlannedChange): string[] {
  const before = new Set(changes.flatMap((change) => (change.kind === 'add' ? [] : [slotOf(change.before)])));
  return itemsAfter(changes).flatMap((item) => (before.has(slotOf(item)) ? [] : [item.stripePriceId]));
}

/**
 * Throws `already_subscribed` or `group_occupied` where another live subscription of the user has what a change brings in: a
 * checkout would be refused as well.
 */
export async function refuseSecondByChange(
  { database }: Pick<AppDeps, 'database'>,
  { projectId, userId, subscriptionId }: ItemsOrder,
  plan: PlannedChange,
): Promise<void> {
  const prices = broughtIn(plan);
  if (prices.length === 0) return;
  const sale = await readSale(database, { projectId, userId, prices });
  const items = (sale?.prices ?? []).flatMap((price): OrderedItem[] =>
    price === null ? [] : [{ price, quantity: undefined, path: 'items', quantityPath: 'items' }],
  );
  const elsewhere = (sale?.held ?? []).filter(({ id }) => id !== subscriptionId);
  refuseSecond(findOccupied(items, elsewhere));
}
