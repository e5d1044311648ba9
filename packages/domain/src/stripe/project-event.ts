import { isClientDecimal, isRecord } from './fields.ts';
import { keptOfDiscount } from './discount.ts';
import { keptOfPrice } from './price.ts';
import { keptOfSubscription } from './subscription.ts';

/** What is kept of a field: the value itself, fields of an object, or fields of each object in a list. */
type Kept = true | { [field: string]: Kept } | readonly [Kept];

const reference = { id: true } as const;
const metadata = { user_id: true, project_id: true, price_id: true, quantity: true } as const;
const identity = { id: true, object: true, customer: reference, created: true, livemode: true } as const;

const item = {
  id: true,
  quantity: true,
  current_period_start: true,
  current_period_end: true,
  price: keptOfPrice,
  plan: reference,
  discounts: [keptOfDiscount],
} as const;

const invoiceLine = {
  amount: true,
  discount_amounts: [{ amount: true }],
  quantity: true,
  period: { start: true, end: true },
  proration: true,
  subscription_item: reference,
  price: { id: true, product: reference },
  plan: reference,
  parent: {
    subscription_item_details: { subscription_item: reference, proration: true },
    invoice_item_details: { proration: true },
  },
  pricing: { price_details: { price: reference, product: reference } },
} as const;

const subscriptionDetails = { subscription: reference, metadata } as const;

const invoice = {
  ...identity,
  metadata,
  status: true,
  paid: true,
  total: true,
  currency: true,
  lines: { has_more: true, data: [invoiceLine] },
  subscription: reference,
  subscription_details: subscriptionDetails,
  parent: { subscription_details: subscriptionDetails },
} as const;

const subscription = {
  ...identity,
  metadata,
  ...keptOfSubscription,
  latest_invoice: { id: true, created: true },
  items: { has_more: true, data: [item] },
} as const;

const checkoutSession = {
  ...identity,
  metadata,
  client_reference_id: true,
  mode: true,
  status: true,
  payment_status: true,
  payment_intent: reference,
  subscription: reference,
  invoice: reference,
  amount_total: true,
  amount_subtotal: true,
  currency: true,
  // That there are any is all that matters.
  optional_items: [{}],
} as const;

const payment = {
  ...identity,
  metadata,
  invoice: reference,
  status: true,
  amount: true,
  currency: true,
} as const;

const reversal = {
  ...identity,
  charge: reference,
  payment_intent: reference,
  status: true,
  amount: true,
  currency: true,
} as const;

/** What is kept, by Stripe's field `object`: only what the service uses, in Stripe's names and nesting; no personal data. */
const keptOf: Record<string, Kept> = {
  subscription,
  invoice,
  'checkout.session': checkoutSession,
  payment_intent: { ...payment, amount_received: true, latest_charge: reference },
  charge: {
    ...payment,
    payment_intent: reference,
    paid: true,
    captured: true,
    refunded: true,
    disputed: true,
    amount_captured: true,
    amount_refunded: true,
  },
  refund: reversal,
  dispute: reversal,
  customer: { ...identity, deleted: true },
  subscription_schedule: {
    ...identity,
    status: true,
    subscription: reference,
    released_subscription: reference,
  },
};

const envelope = {
  id: true,
  object: true,
  type: true,
  created: true,
  livemode: true,
  api_version: true,
  account: true,
} as const;

const isFieldMap = (kept: Kept): kept is { [field: string]: Kept } => kept !== true && !Array.isArray(kept);

/** Where a scalar is expected, an object is dropped: it might hold personal data. */
function keepScalar(value: unknown): unknown {
  if (isClientDecimal(value)) return keepScalar(value.toJSON());
  // The official client reads some numbers as bigint, which JSON does not have.
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'object' && value !== null ? null : value;
}

function keep(value: unknown, shape: Kept): unknown {
  if (shape === true) return keepScalar(value);
  if (!isFieldMap(shape)) return Array.isArray(value) ? value.map((entry) => keep(entry, shape[0])) : null;
  if (!isRecord(value)) return Array.isArray(value) ? null : value;
  const projected: Record<string, unknown> = {};
  for (const field of Object.keys(shape)) {
    const inner = shape[field];
    if (inner === undefined || !Object.hasOwn(value, field)) continue;
    const kept = keep(value[field], inner);
    // Null means the same as absent, and most fields of most objects are null.
    if (kept !== null) projected[field] = kept;
  }
  return projected;
}

/**
 * The part of a Stripe event that the service uses: what is enqueued, stored in the ledger and replayed.
 * Idempotent. The caller has checked that `data.object` is an object.
 */
export function projectEvent(event: Record<string, unknown>): Record<string, unknown> {
  const { data } = event;
  const object = isRecord(data) && isRecord(data['object']) ? data['object'] : {};
  const kind = typeof object['object'] === 'string' ? object['object'] : '';
  const kept = Object.hasOwn(keptOf, kind) ? keptOf[kind] : undefined;
  const projected = keep(event, envelope);
  return {
    ...(isRecord(projected) ? projected : {}),
    data: { object: keep(object, kept ?? identity) },
  };
}
