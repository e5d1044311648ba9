import { noClaims } from '@billing/domain';
import type { EventObject, HandledEventType, Mention, ParsedEvent } from '@billing/domain';
import { purchase } from './target.ts';
import type { Target } from './target.ts';

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

const mentionOf = (id: string, mention: Mention): Target => ({
  kind: 'subscription',
  id,
  change: { kind: 'mention', mention },
});

const subscription = about('subscription', ({ snapshot }) => ({
  kind: 'subscription',
  id: snapshot.id,
  change: { kind: 'snapshot', snapshot },
}));

/** Another object names a subscription: a paid invoice says which period is paid, all are a reason to look. */
const invoice = about(
  'invoice',
  ({ invoice: { subscriptionId, customerId, paidPeriod } }, { created, id }) =>
    subscriptionId === null
      ? ignored('no_subscription')
      : mentionOf(subscriptionId, {
          customerId,
          claims: noClaims,
          paidInvoice: paidPeriod,
          created,
          eventId: id,
        }),
);

/** What a schedule changes, the subscription's own events carry. */
const schedule = about('schedule', ({ schedule: { subscriptionId, customerId } }, { created, id }) =>
  subscriptionId === null
    ? ignored('no_effect')
    : mentionOf(subscriptionId, { customerId, claims: noClaims, paidInvoice: null, created, eventId: id }),
);

/** A checkout session that came to an end: of a subscription it names the owner, of a payment the purchase. */
const session = (outcome: 'completed' | 'failed'): Handler =>
  about('checkout_session', ({ session: facts }, { created, id }) => {
    const { customerId, claims, subscriptionId, priceId, quantity, amount, currency } = facts;
    if (facts.mode === 'subscription' && subscriptionId !== null)
      return mentionOf(subscriptionId, { customerId, claims, paidInvoice: null, created, eventId: id });
    if (facts.mode !== 'payment') return ignored('no_purchase');
    const settled = facts.paymentStatus === 'unpaid' ? 'pending' : 'paid';
    return purchase(facts.paymentIntentId ?? facts.id, {
      claimSource: 'session',
      sessionId: facts.id,
      customerId,
      claims,
      status: outcome === 'failed' ? 'failed' : settled,
      amount,
      currency,
      priceId,
      quantity,
    });
  });

/** Without our metadata a payment is nobody's purchase: a subscription's, or one whose session will tell. */
const paymentIntent = about('payment_intent', ({ paymentIntent: facts }) => {
  const { claims, priceId, quantity } = facts.own;
  if (priceId === null || facts.invoiceId !== null) return ignored('no_purchase');
  return purchase(facts.id, {
    claimSource: 'payment_intent',
    chargeId: facts.chargeId,
    customerId: facts.customerId,
    claims,
    status: 'paid',
    amount: facts.amount,
    currency: facts.currency,
    priceId,
    quantity,
  });
});

/**
 * A refund counts also where the purchase is not known yet (its session may come later), and where the payment
 * is a subscription's, which an old rendering says by its invoice.
 */
const charge = (isRefund: boolean): Handler =>
  about('charge', ({ charge: facts }) => {
    const { claims, priceId, quantity } = facts.own;
    const isBought = priceId !== null && facts.isPaid && facts.invoiceId === null;
    if (!isBought && !isRefund) return ignored('no_purchase');
    return purchase(facts.paymentIntentId ?? facts.id, {
      claimSource: 'charge',
      chargeId: facts.id,
      invoiceId: facts.invoiceId,
      customerId: facts.customerId,
      claims,
      status: isBought ? 'paid' : null,
      amount: facts.amount,
      currency: facts.currency,
      amountRefunded: facts.amountRefunded,
      priceId: facts.invoiceId === null ? priceId : null,
      quantity,
    });
  });

const refund = about('refund', ({ refund: facts }) => {
  const paymentId = facts.paymentIntentId ?? facts.chargeId;
  if (paymentId === null) return ignored('no_purchase');
  const { id, status, amount, createdAt } = facts;
  return purchase(paymentId, {
    chargeId: facts.chargeId,
    refund: { id, status, amount: amount ?? 0, createdAt },
  });
});

const dispute = about('dispute', ({ dispute: { id, status, paymentIntentId, chargeId } }) => {
  const paymentId = paymentIntentId ?? chargeId;
  if (paymentId === null || status === null) return ignored('no_purchase');
  return purchase(paymentId, { chargeId, dispute: { id, status } });
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
  'invoice.payment_action_required': invoice,
  'invoice.voided': invoice,
  'invoice.marked_uncollectible': invoice,
  'charge.refunded': charge(true),
  'charge.succeeded': charge(false),
  'charge.refund.updated': refund,
  'refund.created': refund,
  'refund.updated': refund,
  'refund.failed': refund,
  'charge.dispute.created': dispute,
  'charge.dispute.updated': dispute,
  'charge.dispute.closed': dispute,
  'charge.dispute.funds_withdrawn': dispute,
  'charge.dispute.funds_reinstated': dispute,
  'subscription_schedule.created': schedule,
  'subscription_schedule.updated': schedule,
  'subscription_schedule.released': schedule,
  'subscription_schedule.canceled': schedule,
  'subscription_schedule.completed': schedule,
  'subscription_schedule.aborted': schedule,
  'payment_intent.succeeded': paymentIntent,
  'payment_intent.payment_failed': record,
  'price.created': record,
  'price.updated': record,
  'price.deleted': record,
  'product.created': record,
  'product.updated': record,
  'product.deleted': record,
};
