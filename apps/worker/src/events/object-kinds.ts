import {
  isPurchase,
  purchaseMatter,
  stepMention,
  stepPurchase,
  stepSnapshot,
  stripePriceNamed,
  subscriptionMatter,
  unknownPurchase,
  unknownSubscription,
} from '@billing/domain';
import type {
  BoughtItem,
  Catalog,
  Instant,
  Ownable,
  PurchaseRow,
  Reading,
  Step,
  SubscriptionRow,
  SubscriptionSnapshot,
} from '@billing/domain';
import type { EventState, Held, Outcome } from '@billing/store';
import type { QueuedEvent } from './target.ts';

export type StepInput<Read> = {
  queued: QueuedEvent;
  catalog: Catalog;
  reading: Reading<Read> | null;
  now: Instant;
};

/** What differs between the kinds of objects that keep their own order. */
export type ObjectKind<Row, Read> = {
  stored: (state: EventState, id: string) => Held<Row> | undefined;
  unknown: (id: string) => Row;
  step: (row: Row, input: StepInput<Read>) => Step<Row>;
  /** Equal: entitlements are the same. */
  matter: (row: Row) => string;
  itemsOf: (row: Row) => string;
  ownable: (row: Row) => Ownable;
  /** False: the row only remembers something for an object that may still come. */
  isReal: (row: Row) => boolean;
  outcome: (parts: ObjectParts<Row>) => Outcome;
};

type ObjectParts<Row> = Omit<Extract<Outcome, { kind: 'subscription' }>, 'kind' | 'row'> & { row: Row };

export const subscriptionKind: ObjectKind<SubscriptionRow, SubscriptionSnapshot> = {
  stored: (state, id) => state.subscriptions.get(id),
  unknown: unknownSubscription,
  step: (row, { queued: { event, target }, reading, now }) => {
    if (target.kind !== 'subscription') return { kind: 'write', row, outcome: 'stale' };
    const { change } = target;
    return change.kind === 'mention'
      ? stepMention(row, change.mention, { reading, now })
      : stepSnapshot(
          row,
          { snapshot: change.snapshot, created: event.created, eventId: event.id },
          { reading, now },
        );
  },
  matter: subscriptionMatter,
  itemsOf: (row) => JSON.stringify(row.items),
  ownable: (row) => row,
  isReal: () => true,
  outcome: (parts) => ({ kind: 'subscription', ...parts }),
};

/** The project in which our own price ids of an object are looked up. */
function projectNamed(
  target: { customerId: string | null; claims: { projectId: string | null } },
  catalog: Catalog,
) {
  const mapped = target.customerId === null ? undefined : catalog.mappings.get(target.customerId);
  return mapped?.projectId ?? target.claims.projectId;
}

export const purchaseKind: ObjectKind<PurchaseRow, BoughtItem[]> = {
  stored: (state, id) => state.purchases.get(id),
  unknown: unknownPurchase,
  step: (row, { queued: { event, target }, catalog, reading, now }) => {
    if (target.kind !== 'purchase') return { kind: 'write', row, outcome: 'stale' };
    const { priceId, quantity, ...news } = target.news;
    const items =
      priceId === null
        ? null
        : [
            {
              stripePriceId: stripePriceNamed(priceId, projectNamed(news, catalog), catalog.prices),
              quantity,
            },
          ];
    return stepPurchase(row, { ...news, items, created: event.created, eventId: event.id }, { reading, now });
  },
  matter: purchaseMatter,
  itemsOf: (row) => JSON.stringify(row.items),
  ownable: (row) => row,
  isReal: isPurchase,
  outcome: (parts) => ({ kind: 'purchase', ...parts }),
};
