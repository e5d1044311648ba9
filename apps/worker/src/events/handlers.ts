import { noClaims } from '@billing/domain';
import type { EventObject, HandledEventType, ParsedEvent } from '@billing/domain';
import type { PaymentNews, Target } from './target.ts';

export type Handler = (event: ParsedEvent) => Target;

type ObjectOf<K extends EventObject['kind']> = Extract<EventObject, { kind: K }>;

const ignored = (reason: string): Target => ({ kind: 'none', status: 'ignored', reason });

/** The events that are recorded, but change nothing about who may do what. */
const record: Handler = () => ignored('no_effect');

/** A handler of events about one kind of object; another kind under this type is no event of Stripe's. */
function about<K extends EventObject['kind']>(
  kind: K,
  handle: (object: ObjectOf<K>, event: ParsedEvent) => Target,
): Handler {
  const isOfKind = (object: EventObject): object is ObjectOf<K> => object.kind === kind;
  return (event) =>
    isOfKind(event.object)
      ? handle(event.object, event)
      : { kind: 'none', status: 'quarantined', reason: 'invalid_object' };
}

const subscription = about('subscription', ({ snapshot }) => ({
  kind: 'subscription',
  id: snapshot.id,
  change: { kind: 'snapshot', snapshot },
}));

const invoice = about('invoice', ({ invoice: { subscriptionId, customerId } }, { created, id }) =>
  subscriptionId === null
    ? ignored('no_subscription')
    : {
        kind: 'subscription',
        id: subscriptionId,
        change: { kind: 'mention', mention: { customerId, claims: noClaims, created, eventId: id } },
      },
);

/** A checkout session that came to an end: of a subscription it names the owner, of a payment the purchase. */
const session = (outcome: 'completed' | 'failed'): Handler =>
  about('checkout_session', ({ session: facts }, { created, id }) => {
    const { customerId, claims, subscriptionId } = facts;
    if (facts.mode === 'subscription' && subscriptionId !== null) {
      const mention = { customerId, claims, created, eventId: id };
      return { kind: 'subscription', id: subscriptionId, change: { kind: 'mention', mention } };
    }
    if (facts.mode !== 'payment') return ignored('no_purchase');
    const settled = facts.paymentStatus === 'unpaid' ? 'pending' : 'paid';
    const news: PaymentNews = {
      source: 'session',
      sessionId: facts.id,
      chargeId: null,
      customerId,
      claims,
      status: outcome === 'failed' ? 'failed' : settled,
      amount: facts.amount,
      currency: facts.currency,
      amountRefunded: null,
      priceId: facts.priceId,
      quantity: facts.quantity,
    };
    return { kind: 'purchase', id: facts.paymentIntentId ?? facts.id, news };
  });

/** Without our metadata a payment is nobody's purchase: a subscription's, or one whose session will tell. */
const paymentIntent = about('payment_intent', ({ paymentIntent: facts }) => {
  const { claims, priceId, quantity } = facts.own;
  if (priceId === null || facts.invoiceId !== null) return ignored('no_purchase');
  const news: PaymentNews = {
    source: 'payment',
    sessionId: null,
    chargeId: facts.chargeId,
    customerId: facts.customerId,
    claims,
    status: 'paid',
    amount: facts.amount,
    currency: facts.currency,
    amountRefunded: null,
    priceId,
    quantity,
  };
  return { kind: 'purchase', id: facts.id, news };
});

/** A refund counts also where the purchase is not known yet: its session may come later. */
const charge = (isRefund: boolean): Handler =>
  about('charge', ({ charge: facts }) => {
    const { claims, priceId, quantity } = facts.own;
    const isBought = priceId !== null && facts.isPaid;
    if (facts.invoiceId !== null || (!isBought && !isRefund)) return ignored('no_purchase');
    const news: PaymentNews = {
      source: 'payment',
      sessionId: null,
      chargeId: facts.id,
      customerId: facts.customerId,
      claims,
      status: isBought ? 'paid' : null,
      amount: facts.amount,
      currency: facts.currency,
      amountRefunded: facts.amountRefunded,
      priceId,
      quantity,
    };
    return { kind: 'purchase', id: facts.paymentIntentId ?? facts.id, news };
  });

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
  'invoice.paid': invoice,
  'invoice.payment_succeeded': invoice,
  'invoice.payment_failed': invoice,
  'invoice.payment_action_required': record,
  'invoice.voided': record,
  'invoice.marked_uncollectible': record,
  'charge.refunded': charge(true),
  'charge.succeeded': charge(false),
  'charge.refund.updated': record,
  'refund.created': record,
  'refund.updated': record,
  'refund.failed': record,
  'charge.dispute.created': record,
  'charge.dispute.updated': record,
  'charge.dispute.closed': record,
  'charge.dispute.funds_withdrawn': record,
  'charge.dispute.funds_reinstated': record,
  'subscription_schedule.created': record,
  'subscription_schedule.updated': record,
  'subscription_schedule.released': record,
  'subscription_schedule.canceled': record,
  'subscription_schedule.completed': record,
  'subscription_schedule.aborted': record,
  'payment_intent.succeeded': paymentIntent,
  'payment_intent.payment_failed': record,
  'price.created': record,
  'price.updated': record,
  'price.deleted': record,
  'product.created': record,
  'product.updated': record,
  'product.deleted': record,
};
