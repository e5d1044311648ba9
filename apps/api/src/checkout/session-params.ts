import { secondMs } from '@billing/domain';
import type { Instant, OrderedItem, ResolvedCheckout } from '@billing/domain';
import type { Stripe } from 'stripe';
import type { CheckoutOrder, PreparedSale } from './prepare-sale.ts';

export type SessionFor = {
  order: Pick<CheckoutOrder, 'projectId' | 'request'>;
  sale: Pick<PreparedSale, 'items' | 'checkout'>;
  customer: string;
  /** Stripe's id of the code that is redeemed. */
  promotionCode: string | null;
  now: Instant;
};

type Params = Stripe.Checkout.SessionCreateParams;

/** Stripe's limit of `client_reference_id`. */
const maxReferenceCharacters = 200;

/** Stripe measures by its own clock, which may differ: 30 minutes to 24 hours, and 48 hours for trials. */
const leastExpirySeconds = 1_860;
const mostExpirySeconds = 86_390;
const leastTrialSeconds = 48 * 3_600 + 60;

function lineOf({ price, quantity = 1 }: OrderedItem, { options }: ResolvedCheckout) {
  if (price.isMetered) return { price: price.stripePriceId };
  const range = options.adjustable_quantity;
  const isAdjustable = range !== undefined && quantity >= range.min && quantity <= range.max;
  return {
    price: price.stripePriceId,
    quantity,
    ...(isAdjustable
      ? { adjustable_quantity: { enabled: true, minimum: range.min, maximum: range.max } }
      : {}),
  };
}

const placeOf = ({ place }: ResolvedCheckout): Partial<Params> =>
  place.ui === 'hosted'
    ? { success_url: place.success_url, cancel_url: place.cancel_url }
    : { ui_mode: 'embedded_page', return_url: place.return_url };

/** What the buyer gives for taxes is kept with the customer, as Stripe demands. */
function taxesOf({ options }: ResolvedCheckout): Partial<Params> {
  const { automatic_tax: isTaxed = false, tax_id_collection: takesIds = false } = options;
  if (!isTaxed && !takesIds) return {};
  return {
    ...(isTaxed ? { automatic_tax: { enabled: true } } : {}),
    ...(takesIds ? { tax_id_collection: { enabled: true } } : {}),
    customer_update: { address: 'auto', name: 'auto' },
  };
}

function codesOf({ options }: ResolvedCheckout, promotionCode: string | null): Partial<Params> {
  if (promotionCode !== null) return { discounts: [{ promotion_code: promotionCode }] };
  return options.allow_promotion_codes === true ? { allow_promotion_codes: true } : {};
}

function choicesOf({ options }: ResolvedCheckout, now: Instant): Partial<Params> {
  const { billing_address_collection: address, payment_method_collection: method, locale } = options;
  const expiresIn = options.expires_in_seconds;
  const seconds = Math.min(Math.max(expiresIn ?? 0, leastExpirySeconds), mostExpirySeconds);
  return {
    ...(address === undefined ? {} : { billing_address_collection: address }),
    ...(method === undefined ? {} : { payment_method_collection: method }),
    ...(locale === undefined ? {} : { locale }),
    ...(options.invoice_creation === true ? { invoice_creation: { enabled: true } } : {}),
    ...(expiresIn === undefined ? {} : { expires_at: Math.floor(now / secondMs) + seconds }),
  };
}

function trialOf(
  { trial, options }: ResolvedCheckout,
  now: Instant,
): NonNullable<Params['subscription_data']> {
  if (trial === null) return {};
  const leastEnd = Math.ceil(now / secondMs) + leastTrialSeconds;
  const behavior = options.trial_without_card;
  return {
    ...('days' in trial
      ? { trial_period_days: trial.days }
      : { trial_end: Math.max(Math.ceil(trial.endsAt / secondMs), leastEnd) }),
    ...(behavior === undefined
      ? {}
      : { trial_settings: { end_behavior: { missing_payment_method: behavior } } }),
  };
}

/**
 * What is asked of Stripe. The metadata says who buys what; it is put on the session and on what the session makes,
 * because each of them may be the first, or the only one, of which an event comes. Of several prices it names none: what
 * was sold is read from the session's lines then.
 */
export function sessionParams({ order, sale, customer, promotionCode, now }: SessionFor) {
  const { projectId, request } = order;
  const { items, checkout } = sale;
  const [only, ...others] = items;
  const metadata = {
    ...request.metadata,
    user_id: request.user_id,
    project_id: projectId,
    ...(only === undefined || others.length > 0
      ? {}
      : { price_id: only.price.priceId, quantity: String(only.quantity ?? 1) }),
  };
  return {
    mode: request.mode,
    customer,
    line_items: items.map((item) => lineOf(item, checkout)),
    ...placeOf(checkout),
    ...codesOf(checkout, promotionCode),
    ...taxesOf(checkout),
    ...choicesOf(checkout, now),
    metadata,
    ...(Array.from(request.user_id).length <= maxReferenceCharacters
      ? { client_reference_id: request.user_id }
      : {}),
    ...(request.mode === 'subscription'
      ? { subscription_data: { metadata, ...trialOf(checkout, now) } }
      : { payment_intent_data: { metadata } }),
  } satisfies Params;
}

export type SessionParams = ReturnType<typeof sessionParams>;
