import type { BoughtItem, Mention, ParsedEvent, PurchaseFacts, SubscriptionSnapshot } from '@billing/domain';

/** What an event says about a payment, before the catalog is asked which price it names. */
export type PaymentChange = Omit<PurchaseFacts, 'items' | 'created' | 'eventId'> & {
  /** Our id or Stripe's; null: not said. */
  priceId: string | null;
  quantity: number;
  /** Of a session: the sum of what it sold, before discounts, taxes and shipping; null: not said. */
  subtotal: number | null;
  /** Of an invoice, which names what it sold by itself. */
  sold: BoughtItem[] | null;
  /** True: it counts only for a purchase that is known, as it does not say that anything was bought. */
  isForKnown: boolean;
};

type SubscriptionChange =
  { kind: 'snapshot'; snapshot: SubscriptionSnapshot } | { kind: 'mention'; mention: Mention };

/** The one object that an event is about, and what it says about it. */
export type Target =
  | { kind: 'subscription'; id: string; change: SubscriptionChange }
  | { kind: 'purchase'; id: string; change: PaymentChange }
  | { kind: 'customer_deleted'; customerId: string }
  | { kind: 'none'; status: 'ignored' | 'quarantined' | 'failed'; reason: string };

/** What the ledger keeps of an event; `payload` is its projection, `traceId` of the request that brought it. */
export type ReceivedEvent = {
  event: ParsedEvent;
  receivedAt: number;
  payload: unknown;
  traceId?: string | undefined;
};

/** An accepted event. `key`: the same for events about one object; events about no object of ours have their own. */
export type QueuedEvent = ReceivedEvent & { key: string; target: Target };

/** Events about one object, which are decided together. */
export type EventGroup = { key: string; events: readonly [QueuedEvent, ...QueuedEvent[]] };

/** Groups events by their object, in the order of each object's first event. */
export function groupByObject(events: readonly QueuedEvent[]): EventGroup[] {
  const groups = new Map<string, [QueuedEvent, ...QueuedEvent[]]>();
  for (const queued of events) {
    const known = groups.get(queued.key);
    if (known === undefined) groups.set(queued.key, [queued]);
    else known.push(queued);
  }
  return [...groups].map(([key, grouped]) => ({ key, events: grouped }));
}
