import { priceDifferences, stripePriceTerms } from '@billing/domain';
import type { StripePriceTerms } from '@billing/domain';
import { claimDuePrices, countUnverifiedPrices, savePriceCheck, termsOf } from '@billing/store';
import type { Price } from '@billing/store';
import type { SyncDeps } from './deps.ts';
import { askStripe } from './stripe/ask-stripe.ts';
import { inBackground } from './stripe/read-budget.ts';

const perRound = 20;

/** While Stripe is away: it answers again for at most this long before a price is verified. */
const mostPauseMs = 30_000;

/** What Stripe's price says of one of the catalog. */
export type PriceComparison =
  | { check: 'same'; stripe: StripePriceTerms }
  | { check: 'differs'; stripe: StripePriceTerms; differences: ReturnType<typeof priceDifferences> }
  | { check: 'missing'; stripe: null };

type AskDeps = Pick<SyncDeps, 'stripe' | 'budget' | 'logger' | 'counters'>;

/** `unreachable`: Stripe cannot be asked now; `not_usable`: it refuses this price to the key, or its answer is none. */
export async function comparePrice(
  deps: AskDeps,
  price: Price,
): Promise<PriceComparison | 'unreachable' | 'not_usable'> {
  const { stripePriceId } = price;
  const lookup = await askStripe(deps, 'price', () => deps.stripe.prices.retrieve(stripePriceId));
  if (lookup.kind === 'unreachable') return lookup.isRefused === true ? 'not_usable' : 'unreachable';
  if (lookup.kind === 'missing') return { check: 'missing', stripe: null };
  const parsed = stripePriceTerms.safeParse(lookup.object);
  if (!parsed.success) {
    deps.logger.warn('price_not_understood', { stripe_price_id: stripePriceId });
    return 'not_usable';
  }
  const stripe = parsed.data;
  const differences = priceDifferences(termsOf(price), stripe);
  return differences.length === 0 ? { check: 'same', stripe } : { check: 'differs', stripe, differences };
}

/** Stores what Stripe says of a price. */
export const keepComparison = (
  { database, clock }: Pick<SyncDeps, 'database' | 'clock'>,
  price: Price,
  { check, stripe }: PriceComparison,
): Promise<void> =>
  savePriceCheck(database, price, { check, usageType: stripe?.usageType ?? null, now: clock() });

/**
 * One round over the prices that Stripe has to be asked for: made while it was away, or not as it has them. Stops at the
 * first sign that it is still away. `again`: there are more.
 */
export async function verifyDuePrices(
  deps: SyncDeps & { signal?: AbortSignal },
  signal: AbortSignal,
): Promise<'again' | 'rest'> {
  const now = deps.clock();
  const retryAt = now + mostPauseMs * (0.5 + Math.random() * 0.5);
  const due = await claimDuePrices(deps.database, { now, retryAt, limit: perRound });
  for (const price of due) {
    if (signal.aborted) return 'rest';
    const comparison = await comparePrice(inBackground(deps), price);
    if (comparison === 'unreachable') break;
    if (comparison === 'not_usable') continue;
    await keepComparison(deps, price, comparison);
    if (comparison.check !== 'same') logProblem(deps, price, comparison);
  }
  const { waiting, differs, missing } = await countUnverifiedPrices(deps.database);
  deps.counters.pricesUnverified.set({ reason: 'waiting' }, waiting);
  deps.counters.pricesUnverified.set({ reason: 'differs' }, differs);
  deps.counters.pricesUnverified.set({ reason: 'missing' }, missing);
  return due.length >= perRound ? 'again' : 'rest';
}

function logProblem({ logger }: Pick<SyncDeps, 'logger'>, price: Price, comparison: PriceComparison): void {
  const fields = comparison.check === 'differs' ? comparison.differences.map(({ path }) => path) : undefined;
  const { projectId, priceId, stripePriceId } = price;
  const named = { project_id: projectId, price_id: priceId, stripe_price_id: stripePriceId };
  logger.warn('price_not_verified', { ...named, check: comparison.check, fields });
}
