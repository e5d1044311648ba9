import {
  firstRecheckDelayMs,
  isPurchase,
  isTerminal,
  mergePurchase,
  namedProject,
  purchaseEntitlementInputs,
  purchaseWithoutErased,
  resolvePurchase,
  stepMention,
  stepSnapshot,
  stripePriceNamed,
  subscriptionEntitlementInputs,
  subscriptionWithoutErased,
  unknownPurchase,
  unknownSubscription,
  withNamedPrices,
} from '@billing/domain';
import type {
  Catalog,
  CatalogPrice,
  ErasedContext,
  Ignored,
  Instant,
  Ownable,
  Owner,
  PaymentDetails,
  PaymentQuery,
  PurchaseFacts,
  PurchaseRow,
  StripeLookup,
  Step,
  SubscriptionRow,
  SubscriptionSnapshot,
} from '@billing/domain';
import type { EventState, ObjectKey, StoredObject, Outcome } from '@billing/store';
import { isForeignInvoice, isOthersPayment } from './others-payments.ts';
import { noChange } from './payment-handlers.ts';
import type { PaymentChange, QueuedEvent } from './target.ts';

type StepInput<Found> = {
  queued: QueuedEvent;
  catalog: Catalog;
  lookup: StripeLookup<Found> | null;
  now: Instant;
};

type FinishInput<Found> = { state: EventState; lookup: StripeLookup<Found> | null; now: Instant };

/** The row to be stored, the decision to ask Stripe first, or that there is nothing to store. */
type Finish<Row> = { kind: 'write'; row: Row } | { kind: 'needs_lookup'; query: PaymentQuery } | Ignored;

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
  key: (id: string) => ObjectKey;
  /** Applies one event to the row. */
  step: (row: Row, input: StepInput<Found>) => Step<Row> | Ignored;
  /** After all events of the batch: what follows from the row as a whole. */
  finish: (row: Row, input: FinishInput<Found>) => Finish<Row>;
  itemIds: (row: Row) => readonly string[];
  /** When Stripe created what a lookup found; null: it does not say. */
  createdAt: (found: Found) => Instant | null;
  /** Where equal, entitlements are the same. */
  entitlementInputs: (row: Row) => string;
  /** Users whose entitlements depend on it without it being theirs. */
  holders: (row: Row, state: EventState) => readonly Owner[];
  /** The objects by which they are found. */
  relatedIds: (row: Row) => readonly string[];
  role: (row: Row) => Role;
  /** It only records another purchase, so it waits for no owner and no price. */
  isReceipt: (row: Row, state: EventState) => boolean;
  /** The invoice that only records it. */
  receiptId: (row: Row) => string | null;
  /** Without a claim of users who were erased. */
  withoutErased: (row: Row, object: Ownable, context: ErasedContext) => Row;
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
  key: (id) => ({ kind: 'subscription', id }),
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
  itemIds: ({ items }) => items.map(({ itemId }) => itemId),
  createdAt: (snapshot) => snapshot.createdAt,
  entitlementInputs: subscriptionEntitlementInputs,
  holders: () => [],
  relatedIds: () => [],
  role: () => 'source',
  isReceipt: () => false,
  receiptId: () => null,
  withoutErased: subscriptionWithoutErased,
  outcome: (parts) => ({ kind: 'subscription', ...parts }),
};

/** The Stripe price that the event names, by our id in the project that it names. */
function namedPrice(change: PaymentChange, catalog: Catalog): string | null {
  const { priceId } = change;
  return priceId === null ? null : stripePriceNamed(priceId, namedProject(change, catalog), catalog.prices);
}

/** What a session of ours was meant to sell is all that it sold: the sum fits, and nothing else was on offer. */
function isExactly(change: PaymentChange, price: CatalogPrice | undefined): boolean {
  const { subtotal, currency, quantity, mayHoldMore } = change;
  if (mayHoldMore || subtotal === null || typeof price?.amount !== 'number') return false;
  return price.currency === currency && BigInt(price.amount) * BigInt(quantity) === BigInt(subtotal);
}

type Bought = Pick<PurchaseFacts, 'items' | 'mayHoldMore'>;

/** Null: the payment is a subscription's, which may carry the subscription's metadata; that makes it no purchase. */
function bought(change: PaymentChange, catalog: Catalog): Bought | null {
  const { claimSource, quantity, sold } = change;
  const stripePriceId = namedPrice(change, catalog);
  if (stripePriceId === null) return { items: sold, mayHoldMore: change.mayHoldMore };
  const price = catalog.prices.find((one) => one.stripePriceId === stripePriceId);
  if (claimSource !== 'session' && price?.isRecurring === true) return null;
  const items = [{ stripePriceId, quantity }];
  return { items, mayHoldMore: claimSource === 'session' && !isExactly(change, price) };
}

/** An event that claims no purchase: it counts for one that is known, and writes no row for any other payment. */
function stepMoney(
  row: PurchaseRow,
  { event }: QueuedEvent,
  change: PaymentChange,
): Step<PurchaseRow> | Ignored {
  if (!isPurchase(row)) return { kind: 'ignored', reason: 'no_purchase' };
  const { status, capture } = change;
  const facts = { ...factsOf(noChange), status, capture };
  const merged = mergePurchase(row, { ...facts, created: event.created, eventId: event.id });
  return { kind: 'write', row: merged, outcome: 'applied' };
}

/** The subscription or purchase whose money a payment is, or whose record its invoice is. */
function relatedIdsOf({ record, subscriptionId, invoiceId, receiptId }: PurchaseRow): string[] {
  if (record.said.invoice !== undefined) return [];
  return [subscriptionId, invoiceId, receiptId].filter((id) => id !== null);
}

/** What an event says of a payment, as far as the catalog is not needed. */
function factsOf(change: PaymentChange): Omit<PurchaseFacts, 'created' | 'eventId'> {
  const { priceId: _price, quantity: _quantity, subtotal: _subtotal, ...more } = change;
  const { sold: _sold, isForKnown: _known, ...facts } = more;
  return { ...facts, items: null };
}

export const purchaseKind: ObjectKind<PurchaseRow, PaymentDetails> = {
  stored: (state, id) => state.purchases.get(id),
  unknown: unknownPurchase,
  key: (id) => ({ kind: 'purchase', id }),
  step: (row, { queued, catalog }) => {
    const { event, target } = queued;
    if (target.kind !== 'purchase') return { kind: 'write', row, outcome: 'stale' };
    const { change } = target;
    const sale = bought(change, catalog);
    const isRefund = change.amountRefunded !== null;
    if (change.isForKnown || (sale === null && !isRefund)) return stepMoney(row, queued, change);
    const facts = { ...factsOf(change), created: event.created, eventId: event.id };
    const merged = mergePurchase(row, sale === null ? { ...facts, status: null } : { ...facts, ...sale });
    return { kind: 'write', row: merged, outcome: 'applied' };
  },
  finish: (row, { state, lookup, now }) => {
    const named = withNamedPrices(row, state, state.purchases.get(row.id)?.owners);
    const resolved = resolvePurchase(named, { lookup, now });
    if (resolved.kind === 'needs_lookup') return resolved;
    const isNothing = isOthersPayment(resolved.row) || isForeignInvoice(resolved.row, state);
    return isNothing ? { kind: 'ignored', reason: 'no_purchase' } : resolved;
  },
  itemIds: ({ items }) => items.map(({ stripePriceId }) => stripePriceId),
  createdAt: () => null,
  entitlementInputs: purchaseEntitlementInputs,
  holders: (row, state) => relatedIdsOf(row).flatMap((id) => state.holders.get(id) ?? []),
  relatedIds: relatedIdsOf,
  role: (row) => {
    if (isPurchase(row)) return 'source';
    return row.invoiceId === null && row.confirmed ? 'none' : 'related';
  },
  isReceipt: (row, state) => state.receipts.has(row.id),
  receiptId: (row) => row.receiptId,
  withoutErased: purchaseWithoutErased,
  outcome: (parts) => ({ kind: 'purchase', ...parts }),
};
