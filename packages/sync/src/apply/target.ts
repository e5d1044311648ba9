import { noClaims } from '@billing/domain';
import type { Mention, ParsedEvent, PurchaseFacts, SubscriptionSnapshot } from '@billing/domain';

/** What an event says about a payment, before the catalog is asked which price it names. */
export type PaymentChange = Omit<PurchaseFacts, 'items' | 'created' | 'eventId'> & {
  /** By our id or Stripe's; null: not said. */
  priceId: string | null;
  quantity: number;
};

export type SubscriptionChange =
  { kind: 'snapshot'; snapshot: SubscriptionSnapshot } | { kind: 'mention'; mention: Mention };

/** Which one object an event bears on, and what it says about it. */
export type Target =
  | { kind: 'subscription'; id: string; change: SubscriptionChange }
  | { kind: 'purchase'; id: string; news: PaymentChange }
  | { kind: 'customer_deleted'; customerId: string }
  | { kind: 'none'; status: 'ignored' | 'quarantined' | 'failed'; reason: string };

/** An accepted event on its way to the ledger. */
export type QueuedEvent = {
  event: ParsedEvent;
  target: Target;
  receivedAt: number;
  /** The projection that the ledger keeps. */
  payload: unknown;
};

/** Events with the same key bear on the same object and are decided together. */
export function keyOf({ event, target }: QueuedEvent): string {
  return target.kind === 'subscription' || target.kind === 'purchase'
    ? `${target.kind}:${target.id}`
    : `event:${event.id}`;
}

/** What each kind of news about a payment leaves open. */
const noChange: PaymentChange = {
  claimSource: null,
  sessionId: null,
  chargeId: null,
  invoiceId: null,
  customerId: null,
  claims: noClaims,
  status: null,
  amount: null,
  currency: null,
  amountRefunded: null,
  refund: null,
  dispute: null,
  priceId: null,
  quantity: 1,
};

/** An event that bears on a payment. */
export const purchase = (id: string, news: Partial<PaymentChange>): Target => ({
  kind: 'purchase',
  id,
  news: { ...noChange, ...news },
});
