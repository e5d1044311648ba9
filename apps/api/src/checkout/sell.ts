import { findOccupied, isPossibleDuplicate, ServiceError, pageSlots, toTimestamp } from '@billing/domain';
import type { CheckoutResponse } from '@billing/domain';
import { findOrCreateUser, markCustomerDeleted } from '@billing/store';
import { applyChanged } from '@billing/sync';
import type { ApplyDeps } from '@billing/sync';
import type { AppDeps } from '../deps.ts';
import { askAgain } from './ask-again.ts';
import { callStripe, isMissingCustomer } from './call-stripe.ts';
import type { StripeBudget } from './call-stripe.ts';
import { createForBuyer, hashOfSale } from './create-for-buyer.ts';
import type { ReadySale } from './create-for-buyer.ts';
import type { Session } from './stripe-answers.ts';
import { ensureCustomer } from './ensure-customer.ts';
import type { CustomerDeps } from './ensure-customer.ts';
import { findPromotionCode } from './find-promotion-code.ts';
import { openOnce } from './open-once.ts';
import type { MadeSession, OpenDeps } from './open-once.ts';
import { prepareSale, readPresent, refuseSecond } from './prepare-sale.ts';
import type { CheckoutOrder, PreparedSale, PrepareDeps } from './prepare-sale.ts';
import { toSaleRefusal } from './sale-refusals.ts';
import { foundCustomer } from './stripe-answers.ts';

export type CheckoutDeps = CustomerDeps & PrepareDeps & OpenDeps & ApplyDeps & Pick<AppDeps, 'metrics'>;

/**
 * From an order to the address of Stripe's page. Whoever is erased while it is under way comes back by it: it is later than
 * the erasure, and what it sells would else belong to nobody. Throws, besides what `prepareSale` does, `promotion_code_not_found`,
 * `promotion_code_not_redeemable`.
 */
export async function sell(
  deps: CheckoutDeps,
  order: CheckoutOrder,
  budget: StripeBudget,
): Promise<CheckoutResponse> {
  const { projectId, request } = order;
  const opened = await openSession(deps, order, budget).catch((error: unknown) => {
    throw toSaleRefusal(error, request);
  });
  await findOrCreateUser(deps.database, { projectId, userId: request.user_id });
  return opened;
}

async function openSession(
  deps: CheckoutDeps,
  order: CheckoutOrder,
  budget: StripeBudget,
): Promise<CheckoutResponse> {
  const known = await askAgain(deps, order, budget);
  if (known !== null) return keepKnown(deps, { order, known }, budget);
  const sale = await prepareSale(deps, order);
  const promotionCode = await findPromotionCode(deps, sale, budget);
  const { projectId, request } = order;
  const buyer = { projectId, userId: request.user_id, email: request.email };
  const customer = await ensureCustomer(deps, { buyer, user: sale.user }, budget);
  const ready: ReadySale = { order, sale, promotionCode };
  const createFor = (owner: string): Promise<MadeSession> =>
    createForBuyer(deps, { ready, customer: owner }, budget);
  const make = async (): Promise<MadeSession> => {
    try {
      return await createFor(customer);
    } catch (error) {
      if (!isMissingCustomer(error) || !(await isDeleted(deps, customer, budget))) throw error;
      // Deleted in Stripe, and its event has not come yet.
      await markCustomerDeleted(deps.database, { stripeCustomerId: customer, now: deps.clock() });
      const successor = { buyer, user: await findOrCreateUser(deps.database, buyer) };
      return createFor(await ensureCustomer(deps, successor, budget));
    }
  };
  const session = await openOnce(
    deps,
    {
      ...slotsOfSale(sale),
      requestHash: hashOfSale(deps, ready, customer),
      knownId: null,
      refusePaid: (id) => refusePaid(deps, order, id),
      make,
    },
    budget,
  );
  return toResponse(session, sale.isHinted);
}

const slotsOfSale = ({ items, user }: Pick<PreparedSale, 'items' | 'user'>) => ({
  userRef: user.userRef,
  slots: pageSlots(items),
});

/** An answer that an earlier try could not give: other pages that were opened since are ended. */
async function keepKnown(
  deps: CheckoutDeps,
  { order, known }: { order: CheckoutOrder; known: MadeSession },
  budget: StripeBudget,
): Promise<CheckoutResponse> {
  const { items, user, held } = await readPresent(deps, order);
  if (order.request.mode === 'subscription') refuseSecond(findOccupied(items, held));
  const isHinted = isPossibleDuplicate(items, held);
  if (user === null) return toResponse(known.session, isHinted);
  const request = {
    ...slotsOfSale({ items, user }),
    requestHash: null,
    knownId: known.session.id,
    refusePaid: (id: string) => refusePaid(deps, order, id),
    make: () => Promise.resolve(known),
  };
  return toResponse(await openOnce(deps, request, budget), isHinted);
}

/** Of the 15 s of a checkout. */
const lookupMs = 3_000;

/**
 * A page was paid whose event has not come: its subscription is applied, so that the buyer has it at once. Throws
 * `already_subscribed` or `group_occupied`, unless it has ended since.
 */
async function refusePaid(deps: CheckoutDeps, order: CheckoutOrder, id: string): Promise<void> {
  if ((await applyChanged(deps, { id, answer: null, lookupMs })) === 'unconfirmed')
    throw new ServiceError(
      'stripe_unavailable',
      'The user has just paid, and Stripe cannot be asked for what; send the request again in a moment.',
      { retryable: true, retryAfterSeconds: 2 },
    );
  const { items, held } = await readPresent(deps, order);
  refuseSecond(findOccupied(items, held));
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
