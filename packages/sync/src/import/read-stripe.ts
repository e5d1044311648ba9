import { setTimeout as sleep } from 'node:timers/promises';
import { Stripe } from 'stripe';
import type { ImportReadDeps } from './import-deps.ts';
import { ImportError } from './import-deps.ts';

type StripeError = InstanceType<typeof Stripe.errors.StripeError>;

/** With their pauses about five minutes: longer outages need an operator, and the import continues where it stopped. */
const maxTries = 10;
const longestPauseMs = 60_000;
const longestWaitMs = 5 * 60_000;

/** Waits for the budget of Stripe reads, behind lookups that events wait for. */
async function awaitTurn({ sync: { budget } }: ImportReadDeps): Promise<void> {
  const givesUpAt = performance.now() + longestWaitMs;
  while (!(await budget.take('background'))) {
    if (performance.now() > givesUpAt)
      throw new ImportError(
        'The budget of Stripe reads (STRIPE_READS_PER_SECOND) was used up for minutes. Run the same command later: it goes on where it stopped.',
      );
    // While a long `Retry-After` lasts, the budget refuses without waiting.
    await sleep(500 + Math.random() * 500);
  }
}

const mayPass = (error: StripeError): boolean =>
  error instanceof Stripe.errors.StripeConnectionError ||
  error instanceof Stripe.errors.StripeRateLimitError ||
  error instanceof Stripe.errors.StripeAPIError;

const advices: Partial<Record<string, string>> = {
  StripeAuthenticationError: 'Correct STRIPE_SECRET_KEY, then run the same command again.',
  StripePermissionError: 'Give the key the permission to read it, then run the same command again.',
};

function refusalOf({ type, message }: StripeError): ImportError {
  const advice =
    advices[type] ??
    'Check STRIPE_SECRET_KEY and STRIPE_API_BASE, then run the same command again; should Stripe refuse that too, begin anew with --restart.';
  return new ImportError(`Stripe refused the request: ${message.replace(/\.?$/, '.')} ${advice}`);
}

function retryAfterMsOf({ headers }: StripeError): number | null {
  const seconds = Number(headers?.['retry-after']);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : null;
}

/** After a 429 the budget refuses all processes until Stripe's `Retry-After` is over. */
async function pauseAfter(deps: ImportReadDeps, error: StripeError, tries: number): Promise<void> {
  const isBusy = error instanceof Stripe.errors.StripeRateLimitError;
  const retryAfterMs = isBusy ? retryAfterMsOf(error) : null;
  if (isBusy) await deps.sync.budget.throttle(retryAfterMs);
  const pauseMs = Math.min(longestPauseMs, 500 * 2 ** tries) * (0.5 + Math.random() / 2);
  const seconds = Math.ceil(Math.max(pauseMs, retryAfterMs ?? 0) / 1_000);
  const trouble = isBusy ? 'Stripe limits the rate of reads' : 'Stripe does not answer';
  deps.progress.say(`${trouble}; trying again in ${seconds} s.`);
  await sleep(pauseMs);
}

/**
 * One read within the budget, repeated while Stripe is unreachable or busy. Throws an ImportError with Stripe's message
 * and what to do.
 */
export async function readStripe<T>(deps: ImportReadDeps, read: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    await awaitTurn(deps);
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof Stripe.errors.StripeError)) throw error;
      if (!mayPass(error)) throw refusalOf(error);
      if (tries === maxTries)
        throw new ImportError(
          `Stripe does not answer (${error.message}). Run the same command later: it goes on where it stopped.`,
        );
      await pauseAfter(deps, error, tries);
    }
  }
}

/** The answer, or null where Stripe refuses for a reason that the caller expects. */
export async function unlessRefused<T>(
  isExpected: (error: StripeError) => boolean,
  read: () => Promise<T>,
): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError && isExpected(error)) return null;
    throw error;
  }
}
