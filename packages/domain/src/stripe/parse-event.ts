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

/**
 * Every type of Stripe event that is enqueued and has a handler. The webhook endpoint answers any other type
 * with 200 and drops it.
 */
export const handledEventTypes = [
  'checkout.session.completed',
  'checkout.session.expired',
  'checkout.session.async_payment_succeeded',
  'checkout.session.async_payment_failed',
  'customer.created',
  'customer.updated',
  'customer.deleted',
  'customer.subscription.created',
  'customer.subscription.updated',
  'customer.subscription.deleted',
  'customer.subscription.paused',
  'customer.subscription.resumed',
  'customer.subscription.trial_will_end',
  'customer.subscription.pending_update_applied',
  'customer.subscription.pending_update_expired',
  'invoice.paid',
  'invoice.payment_succeeded',
  'invoice.payment_failed',
  'invoice.payment_action_required',
  'invoice.voided',
  'invoice.marked_uncollectible',
  'charge.refunded',
  'charge.succeeded',
  'charge.captured',
  'charge.expired',
  'charge.refund.updated',
  'refund.created',
  'refund.updated',
  'refund.failed',
  'charge.dispute.created',
  'charge.dispute.updated',
  'charge.dispute.closed',
  'charge.dispute.funds_withdrawn',
  'charge.dispute.funds_reinstated',
  'subscription_schedule.created',
  'subscription_schedule.updated',
  'subscription_schedule.released',
  'subscription_schedule.canceled',
  'subscription_schedule.completed',
  'subscription_schedule.aborted',
  'payment_intent.succeeded',
  'payment_intent.payment_failed',
  'payment_intent.canceled',
  'price.created',
  'price.updated',
  'price.deleted',
  'product.created',
  'product.updated',
  'product.deleted',
] as const;
export type HandledEventType = (typeof handledEventTypes)[number];

const handled: ReadonlySet<string> = new Set(handledEventTypes);

export const isHandledEventType = (type: string): type is HandledEventType => handled.has(type);

export type CustomerFacts = { id: string; isDeleted: boolean };
export type ScheduleFacts = { id: string; customerId: string | null; subscriptionId: string | null };

/** The object that an event is about, in our shape. */
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
  /** Signed by Stripe but not usable: an id with a NUL, an impossible moment, an unknown status. */
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
  /** When Stripe created the object; null: it does not say. */
  objectCreatedAt: Instant | null;
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

/** Stripe: a released schedule names its subscription in `released_subscription`. */
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

/** How each kind of object is read, by Stripe's field `object`. */
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

/** The paths of the invalid fields, never their values. */
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

function createdAtOf({ created }: Record<string, unknown>): Instant | null {
  const parsed = seconds.safeParse(created);
  return parsed.success ? parsed.data : null;
}

export type ParseResult = { isEvent: true; event: ParsedEvent } | { isEvent: false; detail: string };

/**
 * Reads a Stripe event, whole or projected, of any API version. Unknown fields are ignored. An object that
 * cannot be used is `invalid`; nothing is thrown.
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
      objectCreatedAt: createdAtOf(rendered),
      customerId: customerIdOf(rendered),
      object: readObject(rendered),
    },
  };
}

/** Stripe's API releases since they have names. */
const releases: ReadonlySet<string> = new Set(['acacia', 'basil', 'clover', 'dahlia', 'endive']);

const datedVersion = /^(\d{4}-\d{2}-\d{2})(?:\.([a-z_]+))?$/;

/**
 * The release of an event's API version, for a metric: its name, `unnamed` (before 2024-09-30), `none` (the
 * event has no version) or `unknown` (newer than this service). Events of every release are read alike.
 */
export function apiReleaseOf(version: string | null): string {
  if (version === null) return 'none';
  const [, day = '', name] = datedVersion.exec(version) ?? [];
  if (name !== undefined && releases.has(name)) return name;
  return name === undefined && day !== '' && day < '2024-09-30' ? 'unnamed' : 'unknown';
}
