import {
  priceDifferences,
  ServiceError,
  stripePriceTerms,
  toFieldProblems,
  withStripeTerms,
} from '@billing/domain';
import type { GivenTerms, PriceTerms, StripePriceTerms } from '@billing/domain';
import type { PriceCheck } from '@billing/store';
import { callStripe, startStripeBudget, stripeErrorOf } from '../../checkout/call-stripe.ts';
import type { AppDeps } from '../../deps.ts';

/** `away`: no usable answer; the worker asks again. */
type StripePriceAnswer =
  { kind: 'found'; terms: StripePriceTerms } | { kind: 'missing' } | { kind: 'away'; error: ServiceError };

const stripeMs = 5_000;

async function askForPrice(
  deps: Pick<AppDeps, 'stripe' | 'logger'>,
  stripePriceId: string,
): Promise<StripePriceAnswer> {
  try {
    const budget = startStripeBudget(stripeMs);
    const terms = await callStripe({ ...deps, budget }, stripePriceTerms, (options) =>
      deps.stripe.prices.retrieve(stripePriceId, {}, options),
    );
    return { kind: 'found', terms };
  } catch (error) {
    if (stripeErrorOf(error)?.statusCode === 404) return { kind: 'missing' };
    if (error instanceof ServiceError) return { kind: 'away', error };
    throw error;
  }
}

type Checked = { terms: PriceTerms; check: PriceCheck };

/**
 * The terms of a price as the request and Stripe give them. Throws `price_differs_from_stripe`; where Stripe has no such
 * price and fields are left out, `invalid_request`, where it cannot be asked, `stripe_unavailable` or `stripe_error`.
 */
export async function checkPrice(
  deps: Pick<AppDeps, 'stripe' | 'logger'>,
  { stripePriceId, given }: { stripePriceId: string; given: GivenTerms },
): Promise<Checked> {
  const answer = await askForPrice(deps, stripePriceId);
  if (answer.kind === 'found') {
    refuseDifferences(given, answer.terms);
    return { terms: withStripeTerms(given, answer.terms), check: 'same' };
  }
  const terms = ownTerms(given);
  if (terms !== null) return { terms, check: answer.kind === 'missing' ? 'missing' : 'unknown' };
  if (answer.kind === 'missing') throw incomplete(given);
  if (answer.error.code === 'stripe_error') throw answer.error;
  throw new ServiceError(
    'stripe_unavailable',
    'Send amount, currency and interval with the price, or send it again in a moment: Stripe cannot be asked for them now.',
    { retryable: true, retryAfterSeconds: 2, cause: answer.error },
  );
}

/**
 * The same for a price of the catalog of which some fields are corrected: those that stay may differ from Stripe's,
 * which then is noted.
 */
export async function checkCorrection(
  deps: Pick<AppDeps, 'stripe' | 'logger'>,
  { stripePriceId, seen, given }: { stripePriceId: string; seen: PriceTerms; given: GivenTerms },
): Promise<Checked> {
  const answer = await askForPrice(deps, stripePriceId);
  if (answer.kind === 'found') refuseDifferences(given, answer.terms);
  const terms = corrected(seen, given);
  if (answer.kind === 'away') return { terms, check: 'unknown' };
  if (answer.kind === 'missing') return { terms, check: 'missing' };
  const isSame = priceDifferences(terms, answer.terms).length === 0;
  return isSame
    ? { terms: withStripeTerms(terms, answer.terms), check: 'same' }
    : { terms, check: 'differs' };
}

function refuseDifferences(given: GivenTerms, stripe: StripePriceTerms): void {
  const differences = priceDifferences(given, stripe);
  if (differences.length === 0) return;
  throw new ServiceError(
    'price_differs_from_stripe',
    'Leave out the fields that errors names, which then are as Stripe has them, or name another Stripe price.',
    { errors: toFieldProblems(differences) },
  );
}

/** Null: a field that only Stripe could fill in is missing. */
function ownTerms({ amount, currency, interval, intervalCount, usageType }: GivenTerms): PriceTerms | null {
  if (amount === undefined || currency === undefined || interval === undefined) return null;
  return { amount, currency, interval, intervalCount: intervalCount ?? 1, usageType: usageType ?? null };
}

function corrected(seen: PriceTerms, given: GivenTerms): PriceTerms {
  const interval = given.interval ?? seen.interval;
  const { amount = seen.amount, currency = seen.currency } = given;
  if (interval === 'one_time') {
    refuseRecurring(given);
    return { amount, currency, interval, intervalCount: 1, usageType: null };
  }
  const { intervalCount = seen.intervalCount, usageType = seen.usageType } = given;
  return { amount, currency, interval, intervalCount, usageType };
}

/** What only prices have that are paid again and again. */
function refuseRecurring({ intervalCount = 1, usageType }: GivenTerms): void {
  const paths = [
    ...(intervalCount === 1 ? [] : ['interval_count']),
    ...(usageType === undefined || usageType === null ? [] : ['usage_type']),
  ];
  if (paths.length === 0) return;
  throw new ServiceError('invalid_request', 'Leave out what a one_time price does not have.', {
    errors: paths.map((path) => ({ path, message: 'is for prices that are paid again and again' })),
  });
}

function incomplete(given: GivenTerms): ServiceError {
  const missing = (['amount', 'currency', 'interval'] as const).filter((field) => given[field] === undefined);
  return new ServiceError(
    'invalid_request',
    'Stripe has no such price: correct stripe_price_id, or send all fields of the price.',
    { errors: missing.map((path) => ({ path, message: 'is required, as Stripe has no such price' })) },
  );
}
