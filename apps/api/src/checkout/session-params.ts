import type { CheckoutRequest } from '@billing/domain';
import type { SellablePrice } from '@billing/store';
import type { Stripe } from 'stripe';

/** Stripe's limit of `client_reference_id`. */
const maxReferenceCharacters = 200;

export type SessionSubject = { projectId: string; customer: string; price: SellablePrice };

/**
 * What is asked of Stripe. The metadata says whose it is and what was sold; it is put on the session and on
 * what the session makes, because each of them may be the first, or the only one, that we hear of.
 */
export function sessionParams(
  request: CheckoutRequest,
  { projectId, customer, price }: SessionSubject,
): Stripe.Checkout.SessionCreateParams {
  const quantity = request.quantity ?? 1;
  const metadata = {
    ...request.metadata,
    user_id: request.user_id,
    project_id: projectId,
    price_id: price.priceId,
    quantity: String(quantity),
  };
  const trial = request.trial_days === undefined ? {} : { trial_period_days: request.trial_days };
  return {
    mode: request.mode,
    customer,
    line_items: [{ price: price.stripePriceId, quantity }],
    success_url: request.success_url,
    cancel_url: request.cancel_url,
    metadata,
    ...(Array.from(request.user_id).length <= maxReferenceCharacters
      ? { client_reference_id: request.user_id }
      : {}),
    ...(request.mode === 'subscription'
      ? { subscription_data: { metadata, ...trial } }
      : { payment_intent_data: { metadata } }),
  };
}
