import type { RecurringInterval } from '../stripe/price.ts';

/** A price as a change of plan looks at it. */
export type PlanTerms = {
  stripePriceId: string;
  /** Of the product that it sells; null: plans that exclude no other. */
  group: string | null;
  rank: number | null;
  /** For one of the quantity, a decimal in the currency's smallest unit; null: no fixed amount. */
  unitAmount: string | null;
  interval: RecurringInterval;
  intervalCount: number;
  /** A meter counts; there is no quantity. */
  isMetered: boolean;
};

/** An item that a subscription has. */
export type CurrentItem = PlanTerms & { itemId: string; quantity: number };

/** An item that it shall have. */
export type WantedItem = PlanTerms & { quantity: number };

/** What becomes of one item. `exchange`: another price or quantity in its place. */
export type ItemChange =
  | { kind: 'keep'; before: CurrentItem }
  | { kind: 'exchange'; before: CurrentItem; after: WantedItem }
  | { kind: 'add'; after: WantedItem }
  | { kind: 'remove'; before: CurrentItem };

type Pair = { before: CurrentItem; after: WantedItem };

/** Takes pairs that fit out of both lists, in the order of what is wanted. */
function takePairs(
  current: CurrentItem[],
  wanted: WantedItem[],
  fits: (before: CurrentItem, after: WantedItem) => boolean,
): Pair[] {
  const pairs: Pair[] = [];
  for (const after of wanted.slice()) {
    const before = current.find((one) => fits(one, after));
    if (before === undefined) continue;
    current.splice(current.indexOf(before), 1);
    wanted.splice(wanted.indexOf(after), 1);
    pairs.push({ before, after });
  }
  return pairs;
}

/** Stripe takes no metered price in the place of another, nor the other way round. */
const isAlikeCounted = (before: CurrentItem, after: WantedItem): boolean =>
  before.isMetered === after.isMetered;

const toChange = ({ before, after }: Pair): ItemChange => {
  const isSame =
    before.stripePriceId === after.stripePriceId && (before.isMetered || before.quantity === after.quantity);
  return isSame ? { kind: 'keep', before } : { kind: 'exchange', before, after };
};

/**
 * How a project's items become those that are wanted, all of them: an equal price keeps its item, the next is exchanged in
 * place (plans of the same group first), what is left over is added and removed. Items of others are not given.
 */
export function planItems({
  current,
  wanted,
}: {
  current: readonly CurrentItem[];
  wanted: readonly WantedItem[];
}): ItemChange[] {
  const before = [...current];
  const after = [...wanted];
  const pairs = [
    ...takePairs(before, after, (one, other) => one.stripePriceId === other.stripePriceId),
    ...takePairs(
      before,
      after,
      (one, other) => one.group !== null && one.group === other.group && isAlikeCounted(one, other),
    ),
    ...takePairs(before, after, isAlikeCounted),
  ];
  return [
    ...pairs.map(toChange),
    ...after.map((one): ItemChange => ({ kind: 'add', after: one })),
    ...before.map((one): ItemChange => ({ kind: 'remove', before: one })),
  ];
}

/** Whether nothing changes. */
export const keepsAll = (changes: readonly ItemChange[]): boolean =>
  changes.every(({ kind }) => kind === 'keep');

/** An item of a request to Stripe that updates a subscription. */
export type StripeItemUpdate =
  | { id: string; price: string; quantity?: number }
  | { id: string; deleted: true }
  | { price: string; quantity?: number };

/** A meter counts the quantity of a metered price: Stripe refuses one. */
const counted = ({ isMetered, quantity }: WantedItem): { quantity?: number } =>
  isMetered ? {} : { quantity };

/** The changes as Stripe's update of a subscription takes them; items that stay are not named, and so stay. */
export const toStripeItems = (changes: readonly ItemChange[]): StripeItemUpdate[] =>
  changes.flatMap((change): StripeItemUpdate[] => {
    if (change.kind === 'keep') return [];
    if (change.kind === 'remove') return [{ id: change.before.itemId, deleted: true }];
    const { stripePriceId: price } = change.after;
    return change.kind === 'add'
      ? [{ price, ...counted(change.after) }]
      : [{ id: change.before.itemId, price, ...counted(change.after) }];
  });

/** What the project has once the changes are made. */
export const itemsAfter = (changes: readonly ItemChange[]): WantedItem[] =>
  changes.flatMap((change) => {
    if (change.kind === 'remove') return [];
    return [change.kind === 'keep' ? change.before : change.after];
  });
