import { toTimestamp } from '@billing/domain';
import type { CheckoutResponse } from '@billing/domain';
import { findOrCreateUser, markCustomerDeleted } from '@billing/store';
import type { StripeRequest } from './answer-once.ts';
import { callStripe, isMissingCustomer, stripeErrorOf } from './call-stripe.ts';
import type { StripeBudget } from './call-stripe.ts';
import { createSession, sendSession } from './create-session.ts';
import type { Session } from './create-session.ts';
import { ensureCustomer } from './ensure-customer.ts';
import type { CustomerDeps } from './ensure-customer.ts';
import { findPromotionCode } from './find-promotion-code.ts';
import { isHintedNow, prepareSale } from './prepare-sale.ts';
import type { CheckoutOrder, PrepareDeps } from './prepare-sale.ts';
import { foundCustomer } from './stripe-answers.ts';

export type CheckoutDeps = CustomerDeps & PrepareDeps;

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
  const sale = await prepareSale(deps, order);
  const promotionCode = await findPromotionCode(deps, sale, budget);
  const buyer = { projectId, userId: request.user_id, email: request.email };
  const customer = await ensureCustomer(deps, { buyer, user: sale.user }, budget);
  const createFor = (owner: string): Promise<Session> => {
    const session = { order, sale, promotionCode, customer: owner, now: deps.clock() };
    return createSession(deps, { ...session, oneTry }, budget);
  };
  try {
    return toResponse(await createFor(customer), sale.isHinted);
  } catch (error) {
    if (!isMissingCustomer(error) || !(await isDeleted(deps, customer, budget))) throw error;
    // Deleted in Stripe, and its event has not come yet.
    await markCustomerDeleted(deps.database, { stripeCustomerId: customer, now: deps.clock() });
    const successor = { buyer, user: await findOrCreateUser(deps.database, buyer) };
    return toResponse(await createFor(await ensureCustomer(deps, successor, budget)), sale.isHinted);
  }
}

/** The moments that were asked for have come too near since. */
const isTooOld = (error: unknown): boolean =>
  ['expires_at', 'subscription_data[trial_end]'].includes(stripeErrorOf(error)?.param ?? '');

/**
 * What an earlier try asked for, with the same key and parameters: Stripe answers with the session that it may have made.
 * Null: it made none, as the customer was deleted, or as it refuses the request by now.
 */
async function askAgain(
  deps: CheckoutDeps,
  unanswered: StripeRequest,
  budget: StripeBudget,
): Promise<Session | null> {
  try {
    return await sendSession(deps, unanswered, budget);
  } catch (error) {
    if (isMissingCustomer(error) || isTooOld(error)) return null;
    throw error;
  }
}

async function isDeleted(deps: CheckoutDeps, customer: string, budget: StripeBudget): Promise<boolean> {
  const found = await callStripe({ ...deps, budget }, foundCustomer, (options) =>
    deps.stripe.customers.retrieve(customer, {}, options),
  );
  return found.deleted === true;
}

export const toResponse = (session: Session, isHinted: boolean): CheckoutResponse => ({
  checkout_url: session.url ?? null,
  ...(typeof session.client_secret === 'string' && { client_secret: session.client_secret }),
  session_id: session.id,
  expires_at: toTimestamp(session.expires_at),
  ...(isHinted && { warnings: ['possible_duplicate'] }),
});
