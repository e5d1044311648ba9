import { createHash } from 'node:crypto';
import type { AppDeps } from '../deps.ts';
import type { StripeRequest, Try } from './answer-once.ts';
import { callStripe } from './call-stripe.ts';
import type { StripeBudget } from './call-stripe.ts';
import type { SessionParams } from './session-params.ts';
import { checkoutSession } from './stripe-answers.ts';
import type { Session } from './stripe-answers.ts';

/** Asks Stripe for a session, as it is kept with the client's idempotency key. */
export function sendSession(
  deps: Pick<AppDeps, 'stripe' | 'logger'>,
  { params, idempotencyKey }: StripeRequest,
  budget: StripeBudget,
): Promise<Session> {
  return callStripe({ ...deps, budget }, checkoutSession, (options) =>
    deps.stripe.checkout.sessions.create(params, { ...options, idempotencyKey }),
  );
}

/**
 * Makes a session. What an earlier try asked for, and Stripe has refused or ended since, was another request: this one gets
 * a key of its own, and so does one without the code that Stripe refused.
 */
export async function createSession(
  deps: Pick<AppDeps, 'stripe' | 'logger'>,
  { oneTry, params, requestHash }: { oneTry: Try; params: SessionParams; requestHash: string },
  budget: StripeBudget,
): Promise<Session> {
  const earlier = oneTry.unanswered === null ? [] : [oneTry.unanswered.idempotencyKey];
  const { customer, discounts = [] } = params;
  const seed = JSON.stringify([oneTry.stripeKeySeed, customer, ...discounts, ...earlier]);
  const idempotencyKey = `checkout-${createHash('sha256').update(seed).digest('hex')}`;
  const request = { idempotencyKey, params, requestHash };
  await oneTry.willAsk(request);
  return sendSession(deps, request, budget);
}
