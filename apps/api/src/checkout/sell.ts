import { createHash } from 'node:crypto';
import { fromStripeSeconds, ServiceError, toTimestamp } from '@billing/domain';
import type { CheckoutRequest, CheckoutResponse } from '@billing/domain';
import { withDeadline } from '@billing/platform';
import { markCustomerDeleted, createUser, findOrCreateUser, readSale } from '@billing/store';
import type { SellablePrice, UserCustomer } from '@billing/store';
import type { Stripe } from 'stripe';
import type { AppDeps } from '../deps.ts';
import { callStripe, isMissingCustomer } from './call-stripe.ts';
import type { StripeBudget } from './call-stripe.ts';
import { checkRedirects } from './check-redirects.ts';
import { ensureCustomer } from './ensure-customer.ts';
import type { CustomerDeps } from './ensure-customer.ts';

export type CheckoutDeps = CustomerDeps & Pick<AppDeps, 'clock' | 'checkoutLimit' | 'warnOfOpenRedirects'>;
export type CheckoutOrder = { projectId: string; request: CheckoutRequest; stripeKeySeed: string };

/** From an order to the address of Stripe's page. */
export async function sell(
  deps: CheckoutDeps,
  order: CheckoutOrder,
  budget: StripeBudget,
): Promise<CheckoutResponse> {
  const { projectId, request } = order;
  const { price, user } = await prepareInTurn(deps, order);
  const buyer = { projectId, userId: request.user_id, email: request.email };
  const customer = await ensureCustomer(deps, { buyer, user }, budget);
  const createFor = (owner: string): Promise<Stripe.Checkout.Session> =>
    createSession(deps, { order, price, customer: owner }, budget);
  try {
    return toResponse(await createFor(customer));
  } catch (error) {
    if (!isMissingCustomer(error) || !(await isDeleted(deps, customer, budget))) throw error;
    // Deleted in Stripe, and its event has not come yet.
    await markCustomerDeleted(deps.database, { stripeCustomerId: customer, now: deps.clock() });
    const successor = { buyer, user: await findOrCreateUser(deps.database, buyer) };
    return toResponse(await createFor(await ensureCustomer(deps, successor, budget)));
  }
}

/** Postgres did not answer in time, or too many ask it. */
export const tooLate = (): ServiceError =>
  new ServiceError('service_unavailable', 'Nothing was charged; send the request again in a moment.', {
    retryable: true,
  });

/** Of the 15 s, what may pass before Stripe is asked. */
const prepareMs = 5_000;

/** In turn, as `checkoutLimit` allows. Nothing is prepared for a caller whose deadline is over. */
function prepareInTurn(deps: CheckoutDeps, order: CheckoutOrder): Promise<Prepared> {
  const endsAt = performance.now() + prepareMs;
  const prepared = deps.checkoutLimit(async () => {
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
async function prepare(
  { database, warnOfOpenRedirects }: CheckoutDeps,
  { projectId, request }: CheckoutOrder,
): Promise<Prepared> {
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
  warnOfOpenRedirects({ projectId, redirectOrigins: price.redirectOrigins });
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
  const params = sessionParams(sale);
  const seed = JSON.stringify([sale.order.stripeKeySeed, sale.customer]);
  const idempotencyKey = `checkout-${createHash('sha256').update(seed).digest('hex')}`;
  return callStripe({ ...deps, budget }, (options) =>
    deps.stripe.checkout.sessions.create(params, { ...options, idempotencyKey }),
  );
}

/** Stripe's limit of `client_reference_id`. */
const maxReferenceCharacters = 200;

/**
 * What is asked of Stripe. The metadata says who buys what; it is put on the session and on what the session makes,
 * because each of them may be the first, or the only one, of which an event comes.
 */
function sessionParams({ order, price, customer }: SessionFor): Stripe.Checkout.SessionCreateParams {
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
  };
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
