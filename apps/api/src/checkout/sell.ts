import { ServiceError, toTimestamp } from '@billing/domain';
import type { CheckoutResponse } from '@billing/domain';
import { withDeadline } from '@billing/platform';
import { markCustomerDeleted, createUser, findOrCreateUser, readSale } from '@billing/store';
import type { SellablePrice, UserCustomer } from '@billing/store';
import type { z } from 'zod';
import type { AppDeps } from '../deps.ts';
import type { StripeRequest } from './answer-once.ts';
import { callStripe, isMissingCustomer } from './call-stripe.ts';
import type { StripeBudget } from './call-stripe.ts';
import { checkRedirects } from './check-redirects.ts';
import { createSession, sendSession } from './create-session.ts';
import type { CheckoutOrder } from './create-session.ts';
import { ensureCustomer } from './ensure-customer.ts';
import type { CustomerDeps } from './ensure-customer.ts';
import { foundCustomer } from './stripe-answers.ts';
import type { checkoutSession } from './stripe-answers.ts';

export type CheckoutDeps = CustomerDeps & Pick<AppDeps, 'clock' | 'checkoutLimit' | 'warnOfOpenRedirects'>;
type Session = z.output<typeof checkoutSession>;

/**
 * From an order to the address of Stripe's page. Whoever is erased while it is under way comes back by it: it is later than
 * the erasure, and what it sells would else belong to nobody.
 */
export async function sell(
  deps: CheckoutDeps,
  order: CheckoutOrder,
  budget: StripeBudget,
): Promise<CheckoutResponse> {
  const { projectId, request } = order;
  const opened = await openSession(deps, order, budget);
  await findOrCreateUser(deps.database, { projectId, userId: request.user_id });
  return opened;
}

async function openSession(
  deps: CheckoutDeps,
  order: CheckoutOrder,
  budget: StripeBudget,
): Promise<CheckoutResponse> {
  const { projectId, request, oneTry } = order;
  const known = oneTry.unanswered === null ? null : await askAgain(deps, oneTry.unanswered, budget);
  if (known !== null) return toResponse(known, await isHintedNow(deps, order));
  const { price, user, isHinted } = await prepareInTurn(deps, order);
  const buyer = { projectId, userId: request.user_id, email: request.email };
  const customer = await ensureCustomer(deps, { buyer, user }, budget);
  const createFor = (owner: string): Promise<Session> =>
    createSession(deps, { order, price, customer: owner }, budget);
  try {
    return toResponse(await createFor(customer), isHinted);
  } catch (error) {
    if (!isMissingCustomer(error) || !(await isDeleted(deps, customer, budget))) throw error;
    // Deleted in Stripe, and its event has not come yet.
    await markCustomerDeleted(deps.database, { stripeCustomerId: customer, now: deps.clock() });
    const successor = { buyer, user: await findOrCreateUser(deps.database, buyer) };
    return toResponse(await createFor(await ensureCustomer(deps, successor, budget)), isHinted);
  }
}

/**
 * What an earlier try asked for, with the same key and parameters: Stripe answers with the session that it may have made.
 * Null: it made none, as the customer was deleted.
 */
async function askAgain(
  deps: CheckoutDeps,
  unanswered: StripeRequest,
  budget: StripeBudget,
): Promise<Session | null> {
  try {
    return await sendSession(deps, unanswered, budget);
  } catch (error) {
    if (isMissingCustomer(error)) return null;
    throw error;
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

/** `isHinted`: a buyer's hint says that the user has this subscription already, which does not refuse the sale. */
type Prepared = { price: SellablePrice; user: UserCustomer; isHinted: boolean };

/** For an answer that an earlier try could not give. */
const isHintedNow = async (
  { database }: CheckoutDeps,
  { projectId, request }: CheckoutOrder,
): Promise<boolean> => {
  const sale = await readSale(database, { projectId, userId: request.user_id, price: request.price_id });
  return sale?.isHinted === true;
};

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
  const { price, user, isSubscribed, isHinted } = sale;
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
  return { price, user: user ?? (await createUser(database, buyer)), isHinted };
}

async function isDeleted(deps: CheckoutDeps, customer: string, budget: StripeBudget): Promise<boolean> {
  const found = await callStripe({ ...deps, budget }, foundCustomer, (options) =>
    deps.stripe.customers.retrieve(customer, {}, options),
  );
  return found.deleted === true;
}

export const toResponse = (session: Session, isHinted: boolean): CheckoutResponse => ({
  checkout_url: session.url,
  session_id: session.id,
  expires_at: toTimestamp(session.expires_at),
  ...(isHinted && { warnings: ['possible_duplicate'] }),
});
