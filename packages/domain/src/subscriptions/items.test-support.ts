import type { CurrentItem, WantedItem } from './plan-items.ts';

type Named = Partial<Omit<WantedItem, 'stripePriceId'>>;

/** A price that is wanted: monthly, 1000, of no group. */
export const aWanted = (stripePriceId: string, more: Named = {}): WantedItem => ({
  stripePriceId,
  group: null,
  rank: null,
  unitAmount: '1000',
  interval: 'month',
  intervalCount: 1,
  isMetered: false,
  quantity: 1,
  ...more,
});

/** The item of such a price. */
export const aCurrent = (stripePriceId: string, more: Named = {}): CurrentItem => ({
  ...aWanted(stripePriceId, more),
  itemId: `si_${stripePriceId}`,
});
