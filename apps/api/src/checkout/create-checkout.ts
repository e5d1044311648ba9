import { createHash } from 'node:crypto';
import { fromStripeSeconds, ServiceError, toTimestamp } from '@billing/domain';
import type { CheckoutRequest, CheckoutResponse } from '@billing/domain';
import { withDeadline } from '@billing/platform';
import { markCustomerDeleted, createUser, findOrCreateUser, readSale } from '@billing/store';
import type { SellablePrice, UserCustomer } from '@billing/store';
import type { LimitFunction } from 'p-limit';
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
  /**
   * What is asked of Postgres before Stripe, for a few checkouts at a time: a crowd of buyers must leave the readers
   * connections.
   */
  preparing: LimitFunction;
};
export type CheckoutOrder = { projectId: string; request: CheckoutRequest; stripeKeySeed: string };

/** From a wish to buy to the address of Stripe's page. */
export async function createCheckout(
  deps: CheckoutDeps,
  order: CheckoutOrder,
  budget: StripeBudget,
): Promise<CheckoutResponse> {
  const { projectId, request } = order;
  const { price, user } = await prepareInTurn(deps, order);
  const buyer = { projectId, userId: request.user_id, email: request.email };
  const customer = await ensureCustomer(deps, { buyer, user }, budget);
  const sell = (to: string): Promise<Stripe.Checkout.Session> =>
    createSession(deps, { order, price, customer: to }, budget);
  try {
    return toResponse(await sell(customer));
  } catch (error) {
    if (!isMissingCustomer(error) || !(await isDeleted(deps, customer, budget))) throw error;
    // Deleted in Stripe, and its event has not come yet.
    await markCustomerDeleted(deps.database, { stripeCustomerId: customer, now: deps.clock() });
    const successor = { buyer, user: await findOrCreateUser(deps.database, buyer) };
    return toResponse(await sell(await ensureCustomer(deps, successor, budget)));
  }
}

/** Postgres did not answer in time, or too many ask it. */
export const tooLate = (): ServiceError =>
  new ServiceError('service_unavailable', 'Nothing was charged; send the request again in a moment.', {
    retryable: true,
  });

/** Of the 15 s, what may pass before Stripe is asked. */
const prepareMs = 5_000;

/** Who waited too long has been told so: nothing is prepared for them any more. */
function prepareInTurn(deps: CheckoutDeps, order: CheckoutOrder): Promise<Prepared> {
  const endsAt = performance.now() + prepareMs;
  const prepared = deps.preparing(async () => {
    if (performance.now() >= endsAt) throw tooLate();
    return prepare(deps, order);
  });
  return withDeadline(prepared, { ms: prepareMs, onTimeout: tooLate });
}

type Prepared = { price: SellablePrice; user: UserCustomer };

/**
 * What may be sold to whom. Throws `price_not_found`, `price_archived`, `mode_mismatch`, `already_subscribed`, and what
 * `checkRedirects` throws; only then a user who is new gets a row.
 */
async function prepare({ database }: CheckoutDeps, { projectId, request }: CheckoutOrder): Promise<Prepared> {
  const buyer = { projectId, userId: request.user_id };
  const sale = await readSale(database, { ...buyer, price: request.price_id });
  if (sale === null)
    throw new ServiceError(
      'price_not_found',
      "Use the id of one of this project's prices, ours or Stripe's.",
    );
  const { price, user, isSubscribed } = sale;
  if (price.isArchived) throw new ServiceError('price_archived', 'Offer a price that is still sold.');
  const mode = price.interval === 'one_time' ? 'payment' : 'subscription';
  if (mode !== request.mode)
    throw new ServiceError('mode_mismatch', `Use the mode "${mode}" for this price.`);
  checkRedirects(price.redirectOrigins, { success_url: request.success_url, cancel_url: request.cancel_url });
  if (mode === 'subscription' && isSubscribed)
    throw new ServiceError(
      'already_subscribed',
      'Send the user to the portal (POST /api/v1/portal/create-session) to change or end the subscription.',
    );
  return { price, user: user ?? (await createUser(database, buyer)) };
}

type SessionFor = { order: CheckoutOrder; price: SellablePrice; customer: string };

async function createSession(
  deps: CheckoutDeps,
  sale: SessionFor,
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
    throw new ServiceError(
      'stripe_error',
      'Stripe made a session without a page: look at it in the dashboard.',
    );
  return {
    checkout_url: session.url,
    session_id: session.id,
    expires_at: toTimestamp(fromStripeSeconds(session.expires_at)),
  };
}
