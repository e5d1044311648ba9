import { noClaims } from '../stripe/claims.ts';
import { noItemPrice } from '../stripe/price.ts';
import { noContent } from '../stripe/subscription.ts';
import type { SubscriptionSnapshot } from '../stripe/subscription.ts';
import { stepSnapshot } from './step-subscription.ts';
import { unknownSubscription } from './subscription-row.ts';
import type { Incoming, SubscriptionRow } from './subscription-row.ts';

type Parts = Partial<SubscriptionSnapshot> & { created: number; eventId?: string };

/** A snapshot of `sub_1` and its event. */
export function incomingOf({ created, eventId = 'evt_1', ...parts }: Parts): Incoming {
  const snapshot: SubscriptionSnapshot = {
    id: 'sub_1',
    createdAt: null,
    answeredAt: null,
    customerId: 'cus_1',
    claims: noClaims,
    status: 'active',
    ...noContent,
    latestInvoiceDueAt: null,
    items: [
      {
        itemId: 'si_1',
        stripePriceId: 'price_1',
        quantity: 1,
        currentPeriodStart: 0,
        currentPeriodEnd: 2_000,
        firstPeriodStart: 0,
        ...noItemPrice,
      },
    ],
    areItemsComplete: true,
    ...parts,
  };
  return { snapshot, created, eventId };
}

/** The row after a first snapshot. */
export function rowOf(incoming: Incoming): SubscriptionRow {
  const step = stepSnapshot(unknownSubscription('sub_1'), incoming, { lookup: null, now: 0 });
  if (step.kind !== 'write') throw new Error('a first snapshot is applied');
  return step.row;
}
