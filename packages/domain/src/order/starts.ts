import type { ItemSnapshot, SubscriptionSnapshot } from '../stripe/subscription.ts';
import { earliest } from '../time.ts';
import type { Instant } from '../time.ts';
import type { SubscriptionRow } from './subscription-row.ts';

/** Of rows that an older version wrote, the period that is known is the earliest. */
const firstPeriodOf = (item: ItemSnapshot): Instant | null =>
  earliest(item.firstPeriodStart, item.currentPeriodStart);

/** The items with the start of the earliest period that was heard of each. */
export const withFirstPeriods = (items: ItemSnapshot[], heard: readonly ItemSnapshot[]): ItemSnapshot[] =>
  items.map((item) => {
    const other = heard.find((one) => one.itemId === item.itemId);
    const firstPeriodStart = earliest(firstPeriodOf(item), other === undefined ? null : firstPeriodOf(other));
    return firstPeriodStart === item.firstPeriodStart ? item : { ...item, firstPeriodStart };
  });

/** What every snapshot says of when the subscription and its items began, stale ones included. */
export const withStarts = (
  row: SubscriptionRow,
  { createdAt, startDate, items }: SubscriptionSnapshot,
): SubscriptionRow => ({
  ...row,
  stripeCreatedAt: row.stripeCreatedAt ?? createdAt,
  startDate: row.startDate ?? startDate,
  items: withFirstPeriods(row.items, items),
});
