import { createHash } from 'node:crypto';
import type { Stripe } from 'stripe';
import type { z } from 'zod';
import type { Try } from '../checkout/answer-once.ts';
import { callStripe } from '../checkout/call-stripe.ts';
import type { StripeBudget } from '../checkout/call-stripe.ts';
import type { AppDeps } from '../deps.ts';

export type StepDeps = Pick<AppDeps, 'stripe' | 'logger'>;

/** What all steps of one request share. */
export type StepContext = {
  oneTry: Try;
  budget: StripeBudget;
  /** Whose the subscription is, so that an erasure finds what is kept of the request. */
  userId: string;
};

/** One thing that Stripe is asked to do, with all that it depends on. */
export type Step<P extends object, T extends z.ZodType> = {
  name: string;
  /** What is changed. */
  id: string;
  params: P;
  needed: T;
  call: (params: P, options: Stripe.RequestOptions) => Promise<unknown>;
};

/**
 * Asks Stripe to change something. The idempotency key is of the request, the object and the parameters: a try after an
 * outcome that is unknown reads the object again, and where nothing has changed asks exactly the same.
 */
export async function askStep<P extends object, T extends z.ZodType>(
  deps: StepDeps,
  { oneTry, budget, userId }: StepContext,
  step: Step<P, T>,
): Promise<z.output<T>> {
  const { name, id, params, needed, call } = step;
  const seed = JSON.stringify([oneTry.stripeKeySeed, name, id, params]);
  const idempotencyKey = `change-${createHash('sha256').update(seed).digest('hex')}`;
  await oneTry.willAsk({ idempotencyKey, params: { metadata: { user_id: userId }, ...params } });
  return callStripe({ ...deps, budget }, needed, (options) => call(params, { ...options, idempotencyKey }));
}
