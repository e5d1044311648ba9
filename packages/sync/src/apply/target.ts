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

/** The one object that an event is about, and what it says about it. */
export type Target =
  | { kind: 'subscription'; id: string; change: SubscriptionChange }
  | { kind: 'purchase'; id: string; change: PaymentChange }
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

/** Events with the same key are about the same object and are decided together. */
export function keyOf({ event, target }: QueuedEvent): string {
  return target.kind === 'subscription' || target.kind === 'purchase'
    ? `${target.kind}:${target.id}`
    : `event:${event.id}`;
}

/** What an event about a payment leaves open by default. */
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

/** An event about a payment. */
export const purchase = (id: string, change: Partial<PaymentChange>): Target => ({
  kind: 'purchase',
  id,
  change: { ...noChange, ...change },
});
