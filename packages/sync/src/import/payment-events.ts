import type { Stripe } from 'stripe';

/**
 * A payment as Stripe lists it, told as the events that Stripe would have sent of it, so that the worker's own
 * rules read it. They never enter the ledger, as Stripe never sent them. The ids sort before Stripe's own: of
 * one second the real event counts.
 */
export type ImportedEvent = Record<string, unknown> & { id: string; type: string };

const importedEventId = '_import_';

/** Whether a row's newest word came from here: then it names no event. */
export const isImportedEvent = (id: string | null): boolean => id?.startsWith(importedEventId) === true;

type Told = { type: string; created: number; object: { id: string; livemode: boolean } };

const tell = ({ type, created, object }: Told): ImportedEvent => ({
  id: `${importedEventId}${type}_${object.id}`,
  object: 'event',
  type,
  created,
  livemode: object.livemode,
  data: { object },
});

const expanded = <T extends object>(value: string | T | null | undefined): T | null =>
  typeof value === 'object' ? (value ?? null) : null;

/** The charge of a payment, if it was listed with it. */
export const chargeOf = (intent: Stripe.PaymentIntent | null): Stripe.Charge | null =>
  expanded(intent?.latest_charge);

export const intentOf = (session: Stripe.Checkout.Session): Stripe.PaymentIntent | null =>
  expanded(session.payment_intent);

const idOf = (value: string | { id: string } | null | undefined): string | null =>
  typeof value === 'string' ? value : (value?.id ?? null);

/** A session that was completed; it counts as paid when its money came. */
export function sessionEvent(session: Stripe.Checkout.Session): ImportedEvent {
  const created = chargeOf(intentOf(session))?.created ?? session.created;
  const object = { ...session, payment_intent: idOf(session.payment_intent) };
  return tell({ type: 'checkout.session.completed', created, object });
}

export function intentEvent(intent: Stripe.PaymentIntent): ImportedEvent {
  const created = chargeOf(intent)?.created ?? intent.created;
  const object = { ...intent, latest_charge: idOf(intent.latest_charge) };
  return tell({ type: 'payment_intent.succeeded', created, object });
}

/** What went back of a charge: its own sum, as new as its newest refund. */
export function refundEvents(charge: Stripe.Charge): ImportedEvent[] {
  if (charge.amount_refunded === 0) return [];
  const newest = Math.max(charge.created, ...(charge.refunds?.data ?? []).map((refund) => refund.created));
  return [tell({ type: 'charge.refunded', created: newest, object: charge })];
}

const endings: readonly string[] = ['won', 'lost', 'warning_closed', 'prevented'];

export function disputeEvent(dispute: Stripe.Dispute): ImportedEvent {
  const isOver = endings.includes(dispute.status);
  const type = isOver ? 'charge.dispute.closed' : 'charge.dispute.created';
  return tell({ type, created: dispute.created, object: dispute });
}
