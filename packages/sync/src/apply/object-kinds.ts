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
import type { EventState, StoredObject, Outcome } from '@billing/store';
import type { PaymentChange, QueuedEvent } from './target.ts';

type StepInput<Found> = {
  queued: QueuedEvent;
  catalog: Catalog;
  lookup: StripeLookup<Found> | null;
  now: Instant;
};

type FinishInput<Found> = { state: EventState; lookup: StripeLookup<Found> | null; now: Instant };

/** The row to be stored, or the decision to ask Stripe first. */
type Finish<Row> = { kind: 'write'; row: Row } | { kind: 'needs_lookup'; query: PaymentQuery };

/**
 * What an object means for access. `source`: it can grant features to its owner. `related`: it belongs to a subscription,
 * or may turn out to. `none`: it only keeps money that went back of a payment that has bought nothing so far.
 */
export type Role = 'source' | 'related' | 'none';

export type ObjectRow = Ownable & { id: string; rowVersion: number; recheckAttempts: number };

/** What differs between the kinds of stored objects. */
export type ObjectKind<Row extends ObjectRow, Found> = {
  stored: (state: EventState, id: string) => StoredObject<Row> | undefined;
  unknown: (id: string) => Row;
  /** Applies one event to the row. */
  step: (row: Row, input: StepInput<Found>) => Step<Row>;
  /** After all events of the batch: what follows from the row as a whole. */
  finish: (row: Row, input: FinishInput<Found>) => Finish<Row>;
  /** Where equal, entitlements are the same. */
  entitlementInputs: (row: Row) => string;
  /** Users whose entitlements depend on it without it being theirs. */
  holders: (row: Row, state: EventState) => readonly Owner[];
  /** The invoice by which they are found. */
  billsFor: (row: Row) => string | null;
  role: (row: Row) => Role;
  outcome: (parts: ObjectParts<Row>) => Outcome;
};

type ObjectParts<Row> = Omit<Extract<Outcome, { kind: 'subscription' }>, 'kind' | 'row'> & { row: Row };

/** A deleted customer's subscriptions have ended: unless their own events say so, they are rechecked. */
function endWithCustomer(
  row: SubscriptionRow,
  { state, lookup, now }: FinishInput<SubscriptionSnapshot>,
): SubscriptionRow {
  const { customerId } = row;
  const hasLostCustomer =
    customerId !== null && state.deletedCustomers.has(customerId) && !isTerminal(row.status);
  if (!hasLostCustomer || row.recheckAt !== null || lookup !== null || row.missingInStripeAt !== null)
    return row;
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
  holders: () => [],
  billsFor: () => null,
  role: () => 'source',
  outcome: (parts) => ({ kind: 'subscription', ...parts }),
};

/** The Stripe price that the event names, resolved in the project of the mapped customer, else the claimed one. */
function namedPrice({ priceId, customerId, claims }: PaymentChange, catalog: Catalog): string | null {
  if (priceId === null) return null;
  const mapped = customerId === null ? undefined : catalog.mappings.get(customerId);
  return stripePriceNamed(priceId, mapped?.projectId ?? claims.projectId, catalog.prices);
}

const isRecurring = (stripePriceId: string, prices: readonly CatalogPrice[]): boolean =>
  prices.some((price) => price.stripePriceId === stripePriceId && price.isRecurring === true);

/** A subscription's payment may carry the subscription's metadata; that makes it no purchase. */
function bought(
  change: PaymentChange,
  catalog: Catalog,
): { items: BoughtItem[] | null; isSubscriptions: boolean } {
  const stripePriceId = namedPrice(change, catalog);
  if (stripePriceId === null) return { items: null, isSubscriptions: false };
  const isSubscriptions = change.claimSource !== 'session' && isRecurring(stripePriceId, catalog.prices);
  return { items: isSubscriptions ? null : [{ stripePriceId, quantity: change.quantity }], isSubscriptions };
}

export const purchaseKind: ObjectKind<PurchaseRow, PaymentDetails> = {
  stored: (state, id) => state.purchases.get(id),
  unknown: unknownPurchase,
  step: (row, { queued: { event, target }, catalog }) => {
    if (target.kind !== 'purchase') return { kind: 'write', row, outcome: 'stale' };
    const { priceId: _price, quantity: _quantity, ...change } = target.change;
    const { items, isSubscriptions } = bought(target.change, catalog);
    const facts = { ...change, items, created: event.created, eventId: event.id };
    const merged = mergePurchase(row, isSubscriptions ? { ...facts, status: null } : facts);
    return { kind: 'write', row: merged, outcome: 'applied' };
  },
  finish: (row, { lookup, now }) => resolvePurchase(row, { lookup, now }),
  entitlementInputs: purchaseEntitlementInputs,
  holders: ({ invoiceId }, state) => (invoiceId === null ? [] : (state.holders.get(invoiceId) ?? [])),
  billsFor: (row) => row.invoiceId,
  role: (row) => {
    if (isPurchase(row)) return 'source';
    return row.invoiceId === null && row.confirmed ? 'none' : 'related';
  },
  outcome: (parts) => ({ kind: 'purchase', ...parts }),
};
