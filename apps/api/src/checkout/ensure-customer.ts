import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { findOrCreateUser, giveUpCustomerAttempt, keepCheckoutCustomer } from '@billing/store';
import type { UserCustomer } from '@billing/store';
import type { AppDeps } from '../deps.ts';
import { callStripe, stripeErrorOf } from './call-stripe.ts';
import type { StripeBudget } from './call-stripe.ts';
import { stripeCustomer } from './stripe-answers.ts';

export type CustomerDeps = Pick<AppDeps, 'database' | 'stripe' | 'logger' | 'customersInFlight'>;
export type Buyer = { projectId: string; userId: string; email: string | undefined };
export type Wanted = { buyer: Buyer; user: UserCustomer };

const tries = 6;
const pauseMs = 150;

/** The buyer's Stripe customer. The first checkout makes and maps it: one, however many checkouts come at once. */
export async function ensureCustomer(
  deps: CustomerDeps,
  { buyer, user }: Wanted,
  budget: StripeBudget,
): Promise<string> {
  if (user.stripeCustomerId !== null) return user.stripeCustomerId;
  const key = `${user.userRef}.${user.generation}`;
  const joined = deps.customersInFlight.get(key);
  if (joined !== undefined) return joined;
  const made = makeCustomer(deps, { buyer, user }, budget).finally(() => deps.customersInFlight.delete(key));
  deps.customersInFlight.set(key, made);
  return made;
}

/** While another process makes the same customer Stripe answers 409; a little later that customer is mapped. */
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
  // Stripe compares the parameters of one idempotency key: they must be equal for all checkouts, hence no e-mail.
  const params = { metadata: { user_id: userId, project_id: projectId } };
  const customer = await callStripe({ ...deps, budget }, stripeCustomer, (options) =>
    stripe.customers.create(params, { ...options, idempotencyKey }),
  ).catch(async (error: unknown) => {
    if (isRemembered(error)) await giveUpCustomerAttempt(database, user);
    throw error;
  });
  const kept = await keepCheckoutCustomer(database, { userRef: user.userRef, stripeCustomerId: customer.id });
  if (email !== undefined && kept === customer.id)
    await callStripe({ ...deps, budget }, stripeCustomer, (options) =>
      stripe.customers.update(kept, { email }, options),
    );
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
