import { createHash } from 'node:crypto';
import type { z } from 'zod';
import type { AppDeps } from '../deps.ts';
import type { StripeRequest, Try } from './answer-once.ts';
import { callStripe } from './call-stripe.ts';
import type { StripeBudget } from './call-stripe.ts';
import { sessionParams } from './session-params.ts';
import type { SessionFor } from './session-params.ts';
import { checkoutSession } from './stripe-answers.ts';

export type Session = z.output<typeof checkoutSession>;

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
 * Makes the session of a sale to a customer. What an earlier try asked for, and Stripe has refused since, was another
 * request: it gets a key of its own.
 */
export async function createSession(
  deps: Pick<AppDeps, 'stripe' | 'logger'>,
  { oneTry, ...session }: SessionFor & { oneTry: Try },
  budget: StripeBudget,
): Promise<Session> {
  const refused = oneTry.unanswered === null ? [] : [oneTry.unanswered.idempotencyKey];
  const seed = JSON.stringify([oneTry.stripeKeySeed, session.customer, ...refused]);
  const idempotencyKey = `checkout-${createHash('sha256').update(seed).digest('hex')}`;
  const request = { idempotencyKey, params: sessionParams(session) };
  await oneTry.willAsk(request);
  return sendSession(deps, request, budget);
}
