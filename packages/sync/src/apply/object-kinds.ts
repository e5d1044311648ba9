import {
  firstRecheckDelayMs,
  isPurchase,
  isTerminal,
  mergePurchase,
  purchaseEntitlementInputs,
  resolvePurchase,
  stepMention,
  stepSnapshot,
  stripePriceNamed,
  subscriptionEntitlementInputs,
  unknownPurchase,
  unknownSubscription,
} from '@billing/domain';
import type {
  BoughtItem,
  Catalog,
  CatalogPrice,
  Instant,
  Ownable,
  Owner,
  PaymentDetails,
  PaymentQuery,
  PurchaseRow,
  StripeLookup,
  Step,
  SubscriptionRow,
  SubscriptionSnapshot,
} from '@billing/domain';
import type { EventState, Outcome, StoredObject } from '@billing/store';
import type { PaymentChange, QueuedEvent } from './target.ts';

export type StepInput<Read> = {
  queued: QueuedEvent;
  catalog: Catalog;
  lookup: StripeLookup<Read> | null;
  now: Instant;
};

export type FinishInput<Read> = { state: EventState; lookup: StripeLookup<Read> | null; now: Instant };

/** The row as it is to be stored, or first a question to Stripe. */
export type Finish<Row> = { kind: 'write'; row: Row } | { kind: 'read'; query: PaymentQuery };

/**
 * `noted`: nobody's own, but it bears on a subscription, or may yet turn out to. `nobodys`: it only remembers
 * something for an object that may still come.
 */
export type Standing = 'owned' | 'noted' | 'nobodys';

/** What differs between the kinds of objects that keep their own order. */
export type ObjectKind<Row, Read> = {
  stored: (state: EventState, id: string) => StoredObject<Row> | undefined;
  unknown: (id: string) => Row;
  step: (row: Row, input: StepInput<Read>) => Step<Row>;
  /** After all events of the batch: what follows from the row as a whole. */
  finish: (row: Row, input: FinishInput<Read>) => Finish<Row>;
  /** Equal: entitlements are the same. */
  entitlementInputs: (row: Row) => string;
  itemsOf: (row: Row) => string;
  ownable: (row: Row) => Ownable;
  /** Users whose entitlements depend on it without it being theirs. */
  holders: (row: Row, state: EventState) => readonly Owner[];
  /** The invoice by which they are found. */
  billsFor: (row: Row) => string | null;
  standing: (row: Row) => Standing;
  outcome: (parts: ObjectParts<Row>) => Outcome;
};

type ObjectParts<Row> = Omit<Extract<Outcome, { kind: 'subscription' }>, 'kind' | 'row'> & { row: Row };

/** A deleted customer's subscriptions are over: where their own events do not say so, Stripe is asked. */
function endWithCustomer(
  row: SubscriptionRow,
  { state, lookup, now }: FinishInput<SubscriptionSnapshot>,
): SubscriptionRow {
  const { customerId } = row;
  const isOrphan = customerId !== null && state.deletedCustomers.has(customerId) && !isTerminal(row.status);
  if (!isOrphan || row.recheckAt !== null || lookup !== null || row.missingInStripeAt !== null) return row;
  return { ...row, recheckAt: now + firstRecheckDelayMs };
}

export const subscriptionKind: ObjectKind<SubscriptionRow, SubscriptionSnapshot> = {
  stored: (state, id) => state.subscriptions.get(id),
  unknown: unknownSubscription,
  step: (row, { queued: { event, target }, lookup, now }) => {
    if (target.kind !== 'subscription') return { kind: 'write', row, outcome: 'stale' };
    const { change } = target;
    return change.kind === 'mention'
      ? stepMention(row, change.mention, { lookup, now })
      : stepSnapshot(
          row,
          { snapshot: change.snapshot, created: event.created, eventId: event.id },
          { lookup, now },
        );
  },
  finish: (row, input) => ({ kind: 'write', row: endWithCustomer(row, input) }),
  entitlementInputs: subscriptionEntitlementInputs,
  itemsOf: (row) => JSON.stringify(row.items),
  ownable: (row) => row,
  holders: () => [],
  billsFor: () => null,
  standing: () => 'owned',
  outcome: (parts) => ({ kind: 'subscription', ...parts }),
};

/** The Stripe price that the news names, looked up in the project of the customer, else the one it claims. */
function priceNamed({ priceId, customerId, claims }: PaymentChange, catalog: Catalog): string | null {
  if (priceId === null) return null;
  const mapped = customerId === null ? undefined : catalog.mappings.get(customerId);
  return stripePriceNamed(priceId, mapped?.projectId ?? claims.projectId, catalog.prices);
}

const isRecurring = (stripePriceId: string, prices: readonly CatalogPrice[]): boolean =>
  prices.some((price) => price.stripePriceId === stripePriceId && price.isRecurring === true);

/** A subscription's payment may carry the subscription's metadata: it is no purchase for that. */
function bought(
  news: PaymentChange,
  catalog: Catalog,
): { items: BoughtItem[] | null; isSubscriptions: boolean } {
  const stripePriceId = priceNamed(news, catalog);
  if (stripePriceId === null) return { items: null, isSubscriptions: false };
  const isSubscriptions = news.claimSource !== 'session' && isRecurring(stripePriceId, catalog.prices);
  return { items: isSubscriptions ? null : [{ stripePriceId, quantity: news.quantity }], isSubscriptions };
}

export const purchaseKind: ObjectKind<PurchaseRow, PaymentDetails> = {
  stored: (state, id) => state.purchases.get(id),
  unknown: unknownPurchase,
  step: (row, { queued: { event, target }, catalog }) => {
    if (target.kind !== 'purchase') return { kind: 'write', row, outcome: 'stale' };
    const { priceId: _price, quantity: _quantity, ...news } = target.news;
    const { items, isSubscriptions } = bought(target.news, catalog);
    const facts = { ...news, items, created: event.created, eventId: event.id };
    const merged = mergePurchase(row, isSubscriptions ? { ...facts, status: null } : facts);
    return { kind: 'write', row: merged, outcome: 'applied' };
  },
  finish: (row, { lookup, now }) => resolvePurchase(row, { lookup, now }),
  entitlementInputs: purchaseEntitlementInputs,
  itemsOf: (row) => JSON.stringify(row.items),
  ownable: (row) => row,
  holders: ({ invoiceId }, state) => (invoiceId === null ? [] : (state.holders.get(invoiceId) ?? [])),
  billsFor: (row) => row.invoiceId,
  standing: (row) => {
    if (isPurchase(row)) return 'owned';
    return row.invoiceId === null && row.confirmed ? 'nobodys' : 'noted';
  },
  outcome: (parts) => ({ kind: 'purchase', ...parts }),
};
