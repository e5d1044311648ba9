import { setTimeout as sleep } from 'node:timers/promises';
import { Stripe } from 'stripe';
import type { ImportDeps } from './import-deps.ts';
import { ImportError } from './import-error.ts';

type Page<T> = { data: T[]; has_more: boolean };
type PageParams = { limit: number; starting_after?: string };

const pageSize = 100;
/** With its pauses about five minutes: longer troubles need a person, and the import goes on where it stopped. */
const maxTries = 10;
const longestPauseMs = 60_000;

/** Waits for a place among Stripe's reads, behind events that are in doubt. */
async function awaitTurn({ worker: { budget } }: ImportDeps): Promise<void> {
  for (let tries = 0; !(await budget.take('background')); tries += 1)
    if (tries >= maxTries * 3)
      throw new ImportError('The budget of Stripe reads (STRIPE_READS_PER_SECOND) is used up. Run it again.');
}

const mayPass = (error: unknown): boolean =>
  error instanceof Stripe.errors.StripeConnectionError ||
  error instanceof Stripe.errors.StripeRateLimitError ||
  error instanceof Stripe.errors.StripeAPIError;

/** One read, repeated while Stripe is out of reach or busy. Throws an ImportError that says what Stripe said. */
export async function readStripe<T>(deps: ImportDeps, read: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    await awaitTurn(deps);
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof Stripe.errors.StripeError)) throw error;
      if (!mayPass(error)) throw new ImportError(`Stripe refused the request: ${error.message}`);
      if (tries === maxTries)
        throw new ImportError(
          `Stripe does not answer (${error.message}). Run the same command later: it goes on where it stopped.`,
        );
      if (error instanceof Stripe.errors.StripeRateLimitError) await deps.worker.budget.throttle();
      const pauseMs = Math.min(longestPauseMs, 500 * 2 ** tries) * (0.5 + Math.random() / 2);
      deps.progress.say(`Stripe does not answer; trying again in ${Math.ceil(pauseMs / 1000)} s.`);
      await sleep(pauseMs);
    }
  }
}

type Listing<T> = {
  /** What the progress line calls them. */
  what: string;
  list: (params: PageParams) => Promise<Page<T>>;
  handle: (rows: T[]) => Promise<void>;
};

/** Goes through a list of Stripe's, newest first, from where the state says; keeps the place after each page. */
export async function eachPage<T extends { id: string }>(
  deps: ImportDeps,
  listing: Listing<T>,
): Promise<void> {
  const { state, progress, save } = deps;
  let done = 0;
  for (let hasMore = true; hasMore;) {
    const after = state.cursor === null ? {} : { starting_after: state.cursor };
    const page = await readStripe(deps, () => listing.list({ limit: pageSize, ...after }));
    await listing.handle(page.data);
    done += page.data.length;
    state.cursor = page.data.at(-1)?.id ?? state.cursor;
    hasMore = page.has_more && page.data.length > 0;
    save();
    progress.at(listing.what, done);
  }
}
