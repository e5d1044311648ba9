import type { SyncDeps } from '../deps.ts';
import { pauseInOutageMs } from '../retry-pauses.ts';
import { toStripeFailure } from './stripe-failure.ts';

type PageDeps = Pick<SyncDeps, 'budget' | 'counters' | 'logger'>;

/** A page of one of Stripe's lists, or why there is none: only a page is a success. */
export type PageLookup<T> =
  | { kind: 'page'; rows: T[]; hasMore: boolean }
  /** The object that the cursor names is no more. */
  | { kind: 'missing' }
  | { kind: 'later'; pauseMs: number; why: string }
  | { kind: 'refused'; why: string };

/** Reads a page in the background: within the budget, giving way to what waits for an answer. */
export async function readPage<T>(
  deps: PageDeps,
  signal: AbortSignal,
  ask: () => Promise<{ data: T[]; has_more: boolean }>,
): Promise<PageLookup<T>> {
  if (!(await deps.budget.take('background', signal))) {
    if (signal.aborted) return { kind: 'later', pauseMs: 0, why: 'the worker is stopping' };
    deps.counters.readsRefused.inc({ reason: 'budget' });
    return { kind: 'later', pauseMs: 1_000, why: 'the budget of Stripe reads is spent' };
  }
  try {
    const { data, has_more: hasMore } = await ask();
    return { kind: 'page', rows: data, hasMore };
  } catch (error) {
    const failure = toStripeFailure(error);
    if (failure.kind === 'missing') return failure;
    deps.logger.warn('stripe_page_failed', { failure: failure.kind, error });
    if (failure.kind === 'refused')
      return { kind: 'refused', why: `Stripe refused a list with status ${failure.status}` };
    if (failure.kind === 'throttled') {
      await deps.budget.throttle(failure.retryAfterMs);
      deps.counters.readsRefused.inc({ reason: 'throttled' });
      return { kind: 'later', pauseMs: 1_000, why: 'Stripe limits the rate of reads' };
    }
    deps.counters.readsRefused.inc({ reason: 'unreachable' });
    return { kind: 'later', pauseMs: pauseInOutageMs(4), why: 'Stripe cannot be reached' };
  }
}
