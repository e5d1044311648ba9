import type { Stripe } from 'stripe';

/**
 * A listed payment as the events that Stripe would have sent about it, so that the rules of events apply. They never
 * enter the ledger, as Stripe never sent them. Their ids sort before Stripe's own: within one second a real event wins.
 */
export type ImportedEvent = Record<string, unknown> & { id: string; type: string };

const importedEventId = '_import_';

/** Whether a row's newest event was made here: then the row names no event. */
export const isImportedEvent = (id: string | null): boolean => id?.startsWith(importedEventId) === true;

type Parts = { type: string; created: number; object: { id: string; livemode: boolean } };

const importedEvent = ({ type, created, object }: Parts): ImportedEvent => ({
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

/** A completed session; its time is that of its charge. */
export function sessionEvent(session: Stripe.Checkout.Session): ImportedEvent {
  const created = chargeOf(intentOf(session))?.created ?? session.created;
  const object = { ...session, payment_intent: idOf(session.payment_intent) };
  return importedEvent({ type: 'checkout.session.completed', created, object });
}

export function intentEvent(intent: Stripe.PaymentIntent): ImportedEvent {
  const created = chargeOf(intent)?.created ?? intent.created;
  const object = { ...intent, latest_charge: idOf(intent.latest_charge) };
  return importedEvent({ type: 'payment_intent.succeeded', created, object });
}

/** A paid invoice; Stripe dates the event when it was paid. */
export function invoiceEvent(id: string, invoice: Stripe.Invoice): ImportedEvent {
  const created = invoice.status_transitions.paid_at ?? invoice.created;
  return importedEvent({ type: 'invoice.paid', created, object: { ...invoice, id } });
}

export const refundEvent = (refund: Stripe.Refund): ImportedEvent => ({
  id: `${importedEventId}refund_${refund.id}`,
  object: 'event',
  type: 'refund.updated',
  created: refund.created,
  data: { object: refund },
});

/** The refunds of a charge: their sum, as of its newest refund. */
export function refundEvents(charge: Stripe.Charge): ImportedEvent[] {
  if (charge.amount_refunded === 0) return [];
  const newest = Math.max(charge.created, ...(charge.refunds?.data ?? []).map((refund) => refund.created));
  return [importedEvent({ type: 'charge.refunded', created: newest, object: charge })];
}

const endings: readonly string[] = ['won', 'lost', 'warning_closed', 'prevented'];

export function disputeEvent(dispute: Stripe.Dispute): ImportedEvent {
  const isOver = endings.includes(dispute.status);
  const type = isOver ? 'charge.dispute.closed' : 'charge.dispute.created';
  return importedEvent({ type, created: dispute.created, object: dispute });
}
