import { isHandledEventType, noClaims, parseStripeEvent, projectEvent } from '@billing/domain';
import type { EventObject, HandledEventType, InvoiceFacts, Mention, ParsedEvent } from '@billing/domain';
import {
  charge,
  dispute,
  ignored,
  invoicePurchase,
  paymentIntent,
  paymentSession,
  refund,
} from './payment-handlers.ts';
import type { ChargeEvent, SessionOutcome } from './payment-handlers.ts';
import type { QueuedEvent, Target } from './target.ts';

type Handler = (event: ParsedEvent) => Target;

type ObjectOf<K extends EventObject['kind']> = Extract<EventObject, { kind: K }>;

const invalid: Target = { kind: 'none', status: 'quarantined', reason: 'invalid_object' };

/** The events that are recorded, but change no access. */
const record: Handler = () => ignored('no_effect');

/** A handler of events about one kind of object; Stripe sends no other kind under this type. */
function about<K extends EventObject['kind']>(
  kind: K,
  handle: (object: ObjectOf<K>, event: ParsedEvent) => Target,
): Handler {
  const isOfKind = (object: EventObject): object is ObjectOf<K> => object.kind === kind;
  return (event) => (isOfKind(event.object) ? handle(event.object, event) : invalid);
}

/** Another object names a subscription, which is a reason to look it up. */
const mention = (id: string, facts: Omit<Mention, 'created' | 'eventId'>, event: ParsedEvent): Target => ({
  kind: 'subscription',
  id,
  change: { kind: 'mention', mention: { ...facts, created: event.created, eventId: event.id } },
});

const subscription = about('subscription', ({ snapshot }) => ({
  kind: 'subscription',
  id: snapshot.id,
  change: { kind: 'snapshot', snapshot },
}));

const mentionOfInvoice = ({ subscriptionId, customerId }: InvoiceFacts, event: ParsedEvent): Target =>
  subscriptionId === null
    ? ignored('no_subscription')
    : mention(subscriptionId, { customerId, claims: noClaims }, event);

const invoice = about('invoice', (object, event) => mentionOfInvoice(object.invoice, event));

/** A paid invoice may sell something besides a subscription's items; whatever lines the event leaves out may do so. */
const paidInvoice = about('invoice', ({ invoice: facts }, event) => {
  const maySell = facts.sold.length > 0 || !facts.areLinesComplete;
  return facts.isPaid && maySell ? invoicePurchase(facts) : mentionOfInvoice(facts, event);
});

/** What a schedule has changed, the subscription's own events carry; what it will change, Stripe is asked for. */
const schedule = about('schedule', ({ schedule: { subscriptionId, customerId } }, event) =>
  subscriptionId === null
    ? ignored('no_effect')
    : mention(subscriptionId, { customerId, claims: noClaims, isAboutSchedule: true }, event),
);

/** A checkout session that ended: of a subscription it names the owner, of a payment the purchase. */
const session = (outcome: SessionOutcome): Handler =>
  about('checkout_session', ({ session: facts }, event) => {
    const { customerId, claims, subscriptionId, mode } = facts;
    if (mode === 'subscription' && subscriptionId !== null)
      return mention(subscriptionId, { customerId, claims }, event);
    return mode === 'payment' ? paymentSession(facts, outcome) : ignored('no_purchase');
  });

const intent = (status: 'paid' | 'failed'): Handler =>
  about('payment_intent', (object) => paymentIntent(object.paymentIntent, status));
const charged = (what: ChargeEvent): Handler => about('charge', (object) => charge(object.charge, what));
const refunds = about('refund', (object) => refund(object.refund));
const disputes = about('dispute', (object) => dispute(object.dispute));
const customerDeleted = about('customer', ({ customer }) => ({
  kind: 'customer_deleted',
  customerId: customer.id,
}));

/** What each type of event means. A new type is one row here. */
export const handlers: Record<HandledEventType, Handler> = {
  'checkout.session.completed': session('completed'),
  'checkout.session.expired': record,
  'checkout.session.async_payment_succeeded': session('completed'),
  'checkout.session.async_payment_failed': session('failed'),
  'customer.created': record,
  'customer.updated': record,
  'customer.deleted': customerDeleted,
  'customer.subscription.created': subscription,
  'customer.subscription.updated': subscription,
  'customer.subscription.deleted': subscription,
  'customer.subscription.paused': subscription,
  'customer.subscription.resumed': subscription,
  'customer.subscription.trial_will_end': subscription,
  'customer.subscription.pending_update_applied': subscription,
  'customer.subscription.pending_update_expired': subscription,
  'invoice.paid': paidInvoice,
  'invoice.payment_succeeded': paidInvoice,
  'invoice.payment_failed': invoice,
  'invoice.payment_action_required': invoice,
  'invoice.voided': invoice,
  'invoice.marked_uncollectible': invoice,
  'charge.refunded': charged('refunded'),
  'charge.succeeded': charged('succeeded'),
  'charge.captured': charged('captured'),
  'charge.expired': charged('expired'),
  'charge.refund.updated': refunds,
  'refund.created': refunds,
  'refund.updated': refunds,
  'refund.failed': refunds,
  'charge.dispute.created': disputes,
  'charge.dispute.updated': disputes,
  'charge.dispute.closed': disputes,
  'charge.dispute.funds_withdrawn': disputes,
  'charge.dispute.funds_reinstated': disputes,
  'subscription_schedule.created': schedule,
  'subscription_schedule.updated': schedule,
  'subscription_schedule.released': schedule,
  'subscription_schedule.canceled': schedule,
  'subscription_schedule.completed': schedule,
  'subscription_schedule.aborted': schedule,
  'payment_intent.succeeded': intent('paid'),
  'payment_intent.payment_failed': record,
  'payment_intent.canceled': intent('failed'),
  'price.created': record,
  'price.updated': record,
  'price.deleted': record,
  'product.created': record,
  'product.updated': record,
  'product.deleted': record,
};

type Arrived = {
  raw: Record<string, unknown> & { id: string; type: string };
  receivedAt: number;
  traceId?: string | undefined;
};

/** Reads an event and finds the object that it is about. Null: this version of the service does not know its type. */
export function acceptEvent(
  { raw, receivedAt, traceId }: Arrived,
  { mode }: { mode: 'live' | 'test' },
): QueuedEvent | null {
  if (!isHandledEventType(raw.type)) return null;
  const payload = projectEvent(raw);
  const parsed = parseStripeEvent(raw);
  const event = parsed.isEvent ? parsed.event : unreadableEvent({ raw, receivedAt });
  const target = parsed.isEvent ? (notForUs(event, mode) ?? handlers[raw.type](event)) : invalid;
  const key =
    target.kind === 'subscription' || target.kind === 'purchase'
      ? `${target.kind}:${target.id}`
      : `event:${event.id}`;
  return { key, event, target, receivedAt, payload, traceId };
}

/** Events of the other mode or of a connected account are recorded, never applied. */
function notForUs(event: ParsedEvent, mode: 'live' | 'test'): Target | null {
  if (event.account !== null) return ignored('other_account');
  if (event.isLive !== null && event.isLive !== (mode === 'live')) return ignored('other_mode');
  return event.object.kind === 'invalid' ? invalid : null;
}

/** An event whose envelope cannot be read: only its id and type are known. */
export const unreadableEvent = ({ raw, receivedAt }: Arrived): ParsedEvent => ({
  id: raw.id,
  type: raw.type,
  created: receivedAt,
  isLive: null,
  account: null,
  apiVersion: null,
  objectId: null,
  objectCreatedAt: null,
  customerId: null,
  object: { kind: 'other' },
});
