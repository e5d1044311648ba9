import { ServiceError } from '@billing/domain';
import { withDeadline } from '@billing/platform';
import type { Logger } from '@billing/platform';
import { Stripe } from 'stripe';

/** The time that all calls to Stripe of one request share: `endsAt` on the clock of `performance.now()`. */
export type StripeBudget = { endsAt: number };

export const startStripeBudget = (ms: number): StripeBudget => ({ endsAt: performance.now() + ms });

/** stripe-node's longest pause before a first retry. */
const RETRY_PAUSE_MS = 500;
const SHORTEST_ATTEMPT_MS = 100;

const unavailable = (cause?: unknown): ServiceError =>
  new ServiceError('stripe_unavailable', 'Nothing was charged; send the request again in a moment.', {
    retryable: true,
    retryAfterSeconds: 2,
    cause,
  });

/**
 * Calls Stripe within the budget: two attempts share what is left of it, and a pause that Stripe asks for
 * cannot outlast it. Throws `stripe_unavailable` where the same request may succeed later, `stripe_error`
 * where Stripe refuses it; the cause is Stripe's error.
 */
export async function callStripe<T>(
  { budget, logger }: { budget: StripeBudget; logger: Logger },
  call: (options: Stripe.RequestOptions) => Promise<T>,
): Promise<T> {
  const leftMs = budget.endsAt - performance.now();
  if (leftMs < SHORTEST_ATTEMPT_MS) throw unavailable();
  const timeout = Math.max(SHORTEST_ATTEMPT_MS, Math.floor((leftMs - RETRY_PAUSE_MS) / 2));
  try {
    return await withDeadline(call({ timeout, maxNetworkRetries: 1 }), {
      ms: leftMs,
      onTimeout: () => unavailable(),
    });
  } catch (error) {
    throw toServiceError(error, logger);
  }
}

/** Stripe's own message may hold what a caller should not see (part of a key, an e-mail); its codes do not. */
function toServiceError(error: unknown, logger: Logger): unknown {
  if (error instanceof ServiceError || !(error instanceof Stripe.errors.StripeError)) return error;
  const { type, code, param, statusCode, requestId } = error;
  logger.warn('stripe_request_failed', { type, code, param, statusCode, stripe_request_id: requestId });
  if (isPassing(error)) return unavailable(error);
  const what = [code ?? type, param].filter((word) => word !== undefined && word !== '').join(', ');
  return new ServiceError(
    'stripe_error',
    `Stripe refused the request (${what}); correct the cause and try again.`,
    {
      cause: error,
    },
  );
}

/** No answer, an answer that is none, a server error, a limit, or a lock that another request holds. */
function isPassing(error: Stripe.errors.StripeError): boolean {
  const { statusCode } = error;
  if (statusCode === undefined) return true;
  return statusCode < 400 || statusCode >= 500 || statusCode === 409 || statusCode === 429;
}

/** Stripe's error behind one of ours. */
export function stripeErrorOf(error: unknown): Stripe.errors.StripeError | null {
  if (!(error instanceof ServiceError)) return null;
  return error.cause instanceof Stripe.errors.StripeError ? error.cause : null;
}

/** Stripe does not know the customer that the request named: deleted, or never this account's. */
export function isMissingCustomer(error: unknown): boolean {
  const cause = stripeErrorOf(error);
  return cause?.code === 'resource_missing' && cause.param === 'customer';
}
