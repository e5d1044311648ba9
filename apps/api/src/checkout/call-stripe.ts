import { ServiceError } from '@billing/domain';
import { withDeadline } from '@billing/platform';
import type { Logger } from '@billing/platform';
import { Stripe } from 'stripe';
import type { z } from 'zod';

/** The time that all calls to Stripe of one request share: `endsAt` on the clock of `performance.now()`. */
export type StripeBudget = { endsAt: number };

export const startStripeBudget = (ms: number): StripeBudget => ({ endsAt: performance.now() + ms });

/** stripe-node's longest pause before a first retry. */
const retryPauseMs = 500;
const shortestAttemptMs = 100;

const unavailable = (cause?: unknown): ServiceError =>
  new ServiceError('stripe_unavailable', 'Nothing was charged; send the request again in a moment.', {
    retryable: true,
    retryAfterSeconds: 2,
    cause,
  });

/**
 * Calls Stripe within the budget: two attempts share what is left of it, and a pause that Stripe asks for
 * cannot outlast it. Throws `stripe_unavailable` where the same request may succeed later, `stripe_error`
 * where Stripe refuses it (the cause is Stripe's error) or answers without what is `needed` of the object.
 */
export async function callStripe<T extends z.ZodType>(
  { budget, logger }: { budget: StripeBudget; logger: Logger },
  needed: T,
  call: (options: Stripe.RequestOptions) => Promise<unknown>,
): Promise<z.output<T>> {
  const leftMs = budget.endsAt - performance.now();
  if (leftMs < shortestAttemptMs) throw unavailable();
  const timeout = Math.max(shortestAttemptMs, Math.floor((leftMs - retryPauseMs) / 2));
  let answer: unknown;
  try {
    answer = await withDeadline(call({ timeout, maxNetworkRetries: 1 }), {
      ms: leftMs,
      onTimeout: () => unavailable(),
    });
  } catch (error) {
    throw toServiceError(error, logger);
  }
  const parsed = needed.safeParse(answer);
  if (parsed.success) return parsed.data;
  const missing = parsed.error.issues.map(({ path }) => path.join('.')).join(', ');
  logger.warn('stripe_answer_not_usable', { missing });
  throw new ServiceError('stripe_error', `Stripe's answer cannot be used (${missing}); try again.`);
}

/** Stripe's own message may hold what a caller should not see (part of a key, an e-mail); its codes do not. */
function toServiceError(error: unknown, logger: Logger): unknown {
  if (error instanceof ServiceError || !(error instanceof Stripe.errors.StripeError)) return error;
  const { type, code, param, statusCode, requestId } = error;
  logger.warn('stripe_request_failed', { type, code, param, statusCode, stripe_request_id: requestId });
  if (isTransient(error)) return unavailable(error);
  const what = [code ?? type, param].filter((part) => part !== undefined && part !== '').join(', ');
  return new ServiceError(
    'stripe_error',
    `Stripe refused the request (${what}); correct the cause and try again.`,
    {
      cause: error,
    },
  );
}

/** No answer, an answer that is not Stripe's, a server error, a rate limit, or a lock that another request holds. */
function isTransient(error: Stripe.errors.StripeError): boolean {
  const { statusCode } = error;
  if (statusCode === undefined) return true;
  return statusCode < 400 || statusCode >= 500 || statusCode === 409 || statusCode === 429;
}

/**
 * Whether Stripe's answer says what became of the request. Without one it may have been carried out; 409 (the same
 * request is under way) and 429 say nothing about an earlier try.
 */
export function isOutcomeKnown(error: unknown): boolean {
  // Stripe said so itself.
  if (error instanceof ServiceError && error.code === 'payment_required') return true;
  const status = stripeErrorOf(error)?.statusCode;
  return status !== undefined && status !== 409 && status !== 429;
}

/** The error of Stripe that caused this one; null: none did. */
export function stripeErrorOf(error: unknown): Stripe.errors.StripeError | null {
  if (!(error instanceof ServiceError)) return null;
  return error.cause instanceof Stripe.errors.StripeError ? error.cause : null;
}

/** Stripe does not know the customer that the request named: it was deleted, or is another account's. */
export function isMissingCustomer(error: unknown): boolean {
  const cause = stripeErrorOf(error);
  return cause?.code === 'resource_missing' && cause.param === 'customer';
}
