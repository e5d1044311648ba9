import { createHash } from 'node:crypto';
import type { CheckoutRequest } from '@billing/domain';
import type { SellablePrice } from '@billing/store';
import type { Stripe } from 'stripe';
import type { z } from 'zod';
import type { AppDeps } from '../deps.ts';
import type { StripeRequest, Try } from './answer-once.ts';
import { callStripe } from './call-stripe.ts';
import type { StripeBudget } from './call-stripe.ts';
import { checkoutSession } from './stripe-answers.ts';

export type CheckoutOrder = { projectId: string; request: CheckoutRequest; oneTry: Try };
type SessionFor = { order: CheckoutOrder; price: SellablePrice; customer: string };

/** Asks Stripe for a session, as it is kept with the client's idempotency key. */
export function sendSession(
  deps: Pick<AppDeps, 'stripe' | 'logger'>,
  { params, idempotencyKey }: StripeRequest,
  budget: StripeBudget,
): Promise<z.output<typeof checkoutSession>> {
  return callStripe({ ...deps, budget }, checkoutSession, (options) =>
    deps.stripe.checkout.sessions.create(params, { ...options, idempotencyKey }),
  );
}

/** Makes the session of a sale to a customer. */
export async function createSession(
  deps: Pick<AppDeps, 'stripe' | 'logger'>,
  sale: SessionFor,
  budget: StripeBudget,
): Promise<z.output<typeof checkoutSession>> {
  const { oneTry } = sale.order;
  const seed = JSON.stringify([oneTry.stripeKeySeed, sale.customer]);
  const idempotencyKey = `checkout-${createHash('sha256').update(seed).digest('hex')}`;
  const request = { idempotencyKey, params: sessionParams(sale) };
  await oneTry.willAsk(request);
  return sendSession(deps, request, budget);
}

/** Stripe's limit of `client_reference_id`. */
const maxReferenceCharacters = 200;

/**
 * What is asked of Stripe. The metadata says who buys what; it is put on the session and on what the session makes,
 * because each of them may be the first, or the only one, of which an event comes.
 */
function sessionParams({ order, price, customer }: SessionFor) {
  const { projectId, request } = order;
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
  } satisfies Stripe.Checkout.SessionCreateParams;
}
