import { isRecurring } from './check-items.ts';
import type { OrderedItem } from './check-items.ts';

/** A subscription that the buyer has, or had a trial of, with the items that the selling project sells. */
export type HeldSubscription = {
  id: string;
  /** It may still be charged. */
  isLive: boolean;
  /** It is the buyer's only because somebody typed the buyer's id: it refuses nothing. */
  isHinted: boolean;
  hasTrial: boolean;
  items: readonly { stripePriceId: string; productId: string; group: string | null }[];
};

/** What keeps a buyer from buying: a live subscription to the same price, or to a plan of the same group. */
export type Occupied = {
  code: 'already_subscribed' | 'group_occupied';
  subscriptionId: string;
  path: string;
};

type Match = (item: OrderedItem['price'], held: HeldSubscription['items'][number]) => boolean;

const isSamePrice: Match = (price, held) => price.stripePriceId === held.stripePriceId;
const isSameGroup: Match = (price, held) => price.group !== null && price.group === held.group;

function findHeld(
  items: readonly OrderedItem[],
  held: readonly HeldSubscription[],
  matches: Match,
): { item: OrderedItem; subscriptionId: string } | null {
  for (const item of items.filter(isRecurring)) {
    const found = held.find((one) => one.items.some((each) => matches(item.price, each)));
    if (found !== undefined) return { item, subscriptionId: found.id };
  }
  return null;
}

/** Whether a sale would be a second subscription; null: it would not. */
export function findOccupied(
  items: readonly OrderedItem[],
  held: readonly HeldSubscription[],
): Occupied | null {
  const live = held.filter((one) => one.isLive && !one.isHinted);
  const same = findHeld(items, live, isSamePrice);
  const found = same ?? findHeld(items, live, isSameGroup);
  if (found === null) return null;
  const code = same === null ? 'group_occupied' : 'already_subscribed';
  return { code, subscriptionId: found.subscriptionId, path: found.item.path };
}

/** Whether it may be one, of a buyer who typed this user's id. */
export function isPossibleDuplicate(
  items: readonly OrderedItem[],
  held: readonly HeldSubscription[],
): boolean {
  const hinted = held.filter((one) => one.isLive && one.isHinted);
  return findHeld(items, hinted, (...pair) => isSamePrice(...pair) || isSameGroup(...pair)) !== null;
}

/** Whether a trial is left for the buyer, of every price that is sold. */
export function hasTrialLeft(items: readonly OrderedItem[], held: readonly HeldSubscription[]): boolean {
  const tried = held.filter((one) => one.hasTrial && !one.isHinted);
  return items.filter(isRecurring).every(({ price }) => {
    if (price.maxTrials === null) return true;
    const used = tried.filter((one) =>
      one.items.some((each) => isSameGroup(price, each) || each.productId === price.productId),
    );
    return new Set(used.map(({ id }) => id)).size < price.maxTrials;
  });
}
