import { z } from 'zod';
import { id, isId } from '../ids.ts';
import type { Instant } from '../time.ts';
import { checkoutSessionFacts } from './checkout-session.ts';
import type { CheckoutSessionFacts } from './checkout-session.ts';
import { anyObject, flag, reference, seconds, words } from './fields.ts';
import { invoiceFacts } from './invoice.ts';
import type { InvoiceFacts } from './invoice.ts';
import { chargeFacts, disputeFacts, paymentIntentFacts, refundFacts } from './payment.ts';
import type { ChargeFacts, DisputeFacts, PaymentIntentFacts, RefundFacts } from './payment.ts';
import { subscriptionSnapshot } from './subscription.ts';
import type { SubscriptionSnapshot } from './subscription.ts';

export type CustomerFacts = { id: string; isDeleted: boolean };
export type ScheduleFacts = { id: string; customerId: string | null; subscriptionId: string | null };

/** What an event is about, in our shape. */
export type EventObject =
  | { kind: 'subscription'; snapshot: SubscriptionSnapshot }
  | { kind: 'invoice'; invoice: InvoiceFacts }
  | { kind: 'checkout_session'; session: CheckoutSessionFacts }
  | { kind: 'payment_intent'; paymentIntent: PaymentIntentFacts }
  | { kind: 'charge'; charge: ChargeFacts }
  | { kind: 'refund'; refund: RefundFacts }
  | { kind: 'dispute'; dispute: DisputeFacts }
  | { kind: 'customer'; customer: CustomerFacts }
  | { kind: 'schedule'; schedule: ScheduleFacts }
  | { kind: 'other' }
  /** Signed by Stripe and yet not usable: an id with a NUL, a moment that is none, a status nobody knows. */
  | { kind: 'invalid'; detail: string };

export type ParsedEvent = {
  id: string;
  type: string;
  created: Instant;
  /** Null: the event does not say. */
  isLive: boolean | null;
  /** The connected account it belongs to; null: our own. */
  account: string | null;
  apiVersion: string | null;
  objectId: string | null;
  customerId: string | null;
  object: EventObject;
};

const envelope = z.object({
  id: z.string(),
  type: z.string(),
  created: seconds,
  livemode: z.boolean().nullish(),
  account: words,
  api_version: words,
  data: z.object({ object: anyObject }),
});

const customer = z.object({ id, deleted: flag }).transform((whole): EventObject => ({
  kind: 'customer',
  customer: { id: whole.id, isDeleted: whole.deleted },
}));

/** A released schedule names the subscription that it let go. */
const schedule = z
  .object({ id, customer: reference, subscription: reference, released_subscription: reference })
  .transform((whole): EventObject => ({
    kind: 'schedule',
    schedule: {
      id: whole.id,
      customerId: whole.customer,
      subscriptionId: whole.subscription ?? whole.released_subscription,
    },
  }));

/** By Stripe's `object`: how it is read. */
const readers: Record<string, z.ZodType<EventObject>> = {
  subscription: subscriptionSnapshot.transform((snapshot) => ({ kind: 'subscription', snapshot })),
  invoice: invoiceFacts.transform((invoice) => ({ kind: 'invoice', invoice })),
  'checkout.session': checkoutSessionFacts.transform((session) => ({ kind: 'checkout_session', session })),
  payment_intent: paymentIntentFacts.transform((paymentIntent) => ({
    kind: 'payment_intent',
    paymentIntent,
  })),
  charge: chargeFacts.transform((charge) => ({ kind: 'charge', charge })),
  refund: refundFacts.transform((refund) => ({ kind: 'refund', refund })),
  dispute: disputeFacts.transform((dispute) => ({ kind: 'dispute', dispute })),
  customer,
  subscription_schedule: schedule,
};

/** Where in the object the trouble is; never what is there. */
function detailOf(error: z.ZodError): string {
  const paths = error.issues.map((issue) => issue.path.map(String).join('.') || 'object');
  return [...new Set(paths)].slice(0, 5).join(', ').slice(0, 200);
}

function readObject(rendered: Record<string, unknown>): EventObject {
  const kind = rendered['object'];
  if (kind !== undefined && typeof kind !== 'string') return { kind: 'invalid', detail: 'object' };
  const reader = kind !== undefined && Object.hasOwn(readers, kind) ? readers[kind] : undefined;
  if (reader === undefined) {
    const isUsable = rendered['id'] === undefined || isId(rendered['id']);
    return isUsable ? { kind: 'other' } : { kind: 'invalid', detail: 'id' };
  }
  const parsed = reader.safeParse(rendered);
  return parsed.success ? parsed.data : { kind: 'invalid', detail: detailOf(parsed.error) };
}

function customerIdOf(rendered: Record<string, unknown>): string | null {
  if (rendered['object'] === 'customer') return isId(rendered['id']) ? rendered['id'] : null;
  const parsed = reference.safeParse(rendered['customer']);
  return parsed.success ? parsed.data : null;
}

export type ParseResult = { isEvent: true; event: ParsedEvent } | { isEvent: false; detail: string };

/**
 * Reads a Stripe event, whole or projected, of any API version. Unknown fields are ignored; an object that
 * can't be used is `invalid`, never an exception.
 */
export function parseStripeEvent(raw: unknown): ParseResult {
  const parsed = envelope.safeParse(raw);
  if (!parsed.success) return { isEvent: false, detail: detailOf(parsed.error) };
  const { data } = parsed;
  const rendered = data.data.object;
  return {
    isEvent: true,
    event: {
      id: data.id,
      type: data.type,
      created: data.created,
      isLive: data.livemode ?? null,
      account: data.account,
      apiVersion: data.api_version,
      objectId: isId(rendered['id']) ? rendered['id'] : null,
      customerId: customerIdOf(rendered),
      object: readObject(rendered),
    },
  };
}
