import { createHash } from 'node:crypto';
import { fromStripeSeconds, ServiceError, toTimestamp } from '@billing/domain';
import type { CheckoutRequest, CheckoutResponse } from '@billing/domain';
import { buryCustomer, findLiveSubscription, findSellablePrice } from '@billing/store';
import type { SellablePrice } from '@billing/store';
import type { Stripe } from 'stripe';
import type { AppDeps } from '../deps.ts';
import { callStripe, isMissingCustomer } from './call-stripe.ts';
import type { StripeBudget } from './call-stripe.ts';
import { checkRedirects } from './check-redirects.ts';
import { ensureCustomer } from './ensure-customer.ts';
import type { CustomerFlights } from './ensure-customer.ts';
import { sessionParams } from './session-params.ts';

export type CheckoutDeps = Pick<AppDeps, 'database' | 'stripe' | 'logger' | 'clock'> & {
  flights: CustomerFlights;
};
export type CheckoutOrder = { projectId: string; request: CheckoutRequest; stripeKeySeed: string };

/** From a wish to buy to the address of Stripe's page. */
export async function createCheckout(
  deps: CheckoutDeps,
  order: CheckoutOrder,
  budget: StripeBudget,
): Promise<CheckoutResponse> {
  const { projectId, request } = order;
  const price = await findPrice(deps, order);
  checkRedirects(price.redirectOrigins, { success_url: request.success_url, cancel_url: request.cancel_url });
  if (request.mode === 'subscription') await refuseSecondSubscription(deps, order, price);
  const buyer = { projectId, userId: request.user_id, email: request.email };
  const customer = await ensureCustomer(deps, buyer, budget);
  const sell = (to: string): Promise<Stripe.Checkout.Session> =>
    createSession(deps, { order, price, customer: to }, budget);
  try {
    return toResponse(await sell(customer));
  } catch (error) {
    if (!isMissingCustomer(error) || !(await isDeleted(deps, customer, budget))) throw error;
    // Deleted in Stripe, and its event has not come yet.
    await buryCustomer(deps.database, { stripeCustomerId: customer, now: deps.clock() });
    return toResponse(await sell(await ensureCustomer(deps, buyer, budget)));
  }
}

/** Throws `price_not_found`, `price_archived`, `mode_mismatch`. */
async function findPrice(deps: CheckoutDeps, { projectId, request }: CheckoutOrder): Promise<SellablePrice> {
  const price = await findSellablePrice(deps.database, { projectId, price: request.price_id });
  if (price === null)
    throw new ServiceError(
      'price_not_found',
      "Use the id of one of this project's prices, ours or Stripe's.",
    );
  if (price.isArchived) throw new ServiceError('price_archived', 'Offer a price that is still sold.');
  const mode = price.interval === 'one_time' ? 'payment' : 'subscription';
  if (mode !== request.mode)
    throw new ServiceError('mode_mismatch', `Use the mode "${mode}" for this price.`);
  return price;
}

async function refuseSecondSubscription(
  { database }: CheckoutDeps,
  { projectId, request }: CheckoutOrder,
  { stripePriceId }: SellablePrice,
): Promise<void> {
  const live = await findLiveSubscription(database, { projectId, userId: request.user_id, stripePriceId });
  if (live === null) return;
  throw new ServiceError(
    'already_subscribed',
    'Send the user to the portal (POST /api/v1/portal/create-session) to change or end the subscription.',
  );
}

type Sale = { order: CheckoutOrder; price: SellablePrice; customer: string };

async function createSession(
  deps: CheckoutDeps,
  sale: Sale,
  budget: StripeBudget,
): Promise<Stripe.Checkout.Session> {
  const { order, price, customer } = sale;
  const params = sessionParams(order.request, { projectId: order.projectId, customer, price });
  const seed = JSON.stringify([order.stripeKeySeed, customer]);
  const idempotencyKey = `checkout-${createHash('sha256').update(seed).digest('hex')}`;
  return callStripe({ ...deps, budget }, (options) =>
    deps.stripe.checkout.sessions.create(params, { ...options, idempotencyKey }),
  );
}

async function isDeleted(deps: CheckoutDeps, customer: string, budget: StripeBudget): Promise<boolean> {
  const found = await callStripe({ ...deps, budget }, (options) =>
    deps.stripe.customers.retrieve(customer, {}, options),
  );
  return found.deleted === true;
}

function toResponse(session: Stripe.Checkout.Session): CheckoutResponse {
  if (session.url === null)
    throw new ServiceError('stripe_error', 'Stripe made a session that has no page; try again.');
  return {
    checkout_url: session.url,
    session_id: session.id,
    expires_at: toTimestamp(fromStripeSeconds(session.expires_at)),
  };
}
