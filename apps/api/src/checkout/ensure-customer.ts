import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { findOrCreateUser, giveUpCustomerAttempt, keepCheckoutCustomer } from '@billing/store';
import type { UserCustomer } from '@billing/store';
import type { AppDeps } from '../deps.ts';
import { callStripe, stripeErrorOf } from './call-stripe.ts';
import type { StripeBudget } from './call-stripe.ts';

export type CustomerDeps = Pick<AppDeps, 'database' | 'stripe' | 'logger'>;
export type Buyer = { projectId: string; userId: string; email: string | undefined };
export type Wanted = { buyer: Buyer; user: UserCustomer };
/** Customers that are being made in this process, so that requests at the same time share one. */
export type CustomerFlights = Map<string, Promise<string>>;

const tries = 6;
const pauseMs = 150;

/** The buyer's Stripe customer; the first checkout makes and maps it, and only one however many come at once. */
export async function ensureCustomer(
  deps: CustomerDeps & { flights: CustomerFlights },
  { buyer, user }: Wanted,
  budget: StripeBudget,
): Promise<string> {
  if (user.stripeCustomerId !== null) return user.stripeCustomerId;
  const flightKey = `${user.userRef}.${user.generation}`;
  const flying = deps.flights.get(flightKey);
  if (flying !== undefined) return flying;
  const flight = makeCustomer(deps, { buyer, user }, budget).finally(() => deps.flights.delete(flightKey));
  deps.flights.set(flightKey, flight);
  return flight;
}

/** Another process may be making the same customer: then Stripe answers 409, and ours is theirs a little later. */
async function makeCustomer(
  deps: CustomerDeps,
  { buyer, user }: Wanted,
  budget: StripeBudget,
): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await createAndMap(deps, { buyer, user }, budget);
    } catch (error) {
      const status = stripeErrorOf(error)?.statusCode;
      if (status !== 409 || attempt >= tries) throw error;
      await sleep(pauseMs * (0.5 + Math.random()));
      const { stripeCustomerId } = await findOrCreateUser(deps.database, buyer);
      if (stripeCustomerId !== null) return stripeCustomerId;
    }
  }
}

async function createAndMap(
  deps: CustomerDeps,
  { buyer, user }: Wanted,
  budget: StripeBudget,
): Promise<string> {
  const { database, stripe } = deps;
  const { projectId, userId, email } = buyer;
  const idempotencyKey = customerKey(buyer, user.generation);
  // Equal parameters for everyone who comes at once, hence no e-mail: Stripe compares them.
  const params = { metadata: { user_id: userId, project_id: projectId } };
  const customer = await callStripe({ ...deps, budget }, (options) =>
    stripe.customers.create(params, { ...options, idempotencyKey }),
  ).catch(async (error: unknown) => {
    if (isRemembered(error)) await giveUpCustomerAttempt(database, user);
    throw error;
  });
  const kept = await keepCheckoutCustomer(database, { userRef: user.userRef, stripeCustomerId: customer.id });
  if (email !== undefined && kept === customer.id)
    await callStripe({ ...deps, budget }, (options) => stripe.customers.update(kept, { email }, options));
  return kept;
}

/** Stripe repeats a server error, and a refusal of the key itself, for a day to the same idempotency key. */
function isRemembered(error: unknown): boolean {
  const cause = stripeErrorOf(error);
  if (cause === null || cause.statusCode === undefined) return false;
  return cause.statusCode >= 500 || (cause.statusCode === 400 && cause.type === 'StripeIdempotencyError');
}

function customerKey({ projectId, userId }: Buyer, generation: string): string {
  const subject = JSON.stringify([projectId, userId, generation]);
  return `customer-${createHash('sha256').update(subject).digest('hex')}`;
}
