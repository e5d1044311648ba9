import type { StripeLookup } from '@billing/domain';
import { Stripe } from 'stripe';
import type { AskDeps } from '../deps.ts';
import { pauseInOutageMs } from '../outages.ts';
import { checkPage } from './check-page.ts';

/** What a failed request to Stripe means for the caller. */
export type StripeFailure =
  | { kind: 'missing' }
  | { kind: 'throttled'; retryAfterMs: number | null }
  /** Stripe refuses the request as such (a revoked key, a permission): repeating it is no use. */
  | { kind: 'refused'; status: number }
  /** An answer of Stripe that lacks what is needed. */
  | { kind: 'unusable' }
  | { kind: 'unreachable' };

function statusOf(error: unknown): number | null {
  if (!(error instanceof Error) || !('statusCode' in error)) return null;
  return typeof error.statusCode === 'number' ? error.statusCode : null;
}

function retryAfterOf(error: unknown): number | null {
  if (!(error instanceof Error) || !('headers' in error)) return null;
  const { headers } = error;
  if (typeof headers !== 'object' || headers === null || !('retry-after' in headers)) return null;
  const seconds = Number(headers['retry-after']);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}

/** 409 (a lock), 429 and 5xx are temporary; an error of Stripe's client without a status is the network. */
export function toStripeFailure(error: unknown): StripeFailure {
  const status = statusOf(error);
  // A list answers 400 for a cursor whose object was deleted.
  const isMissing = error instanceof Error && 'code' in error && error.code === 'resource_missing';
  if (status === 404 || isMissing) return { kind: 'missing' };
  if (status === 429) return { kind: 'throttled', retryAfterMs: retryAfterOf(error) };
  if (status !== null && status >= 400 && status < 500 && status !== 409 && status !== 408)
    return { kind: 'refused', status };
  return { kind: error instanceof Stripe.errors.StripeError ? 'unreachable' : 'unusable' };
}

type LookupKind =
  | 'customer'
  | 'subscription'
  | 'checkout_session'
  | 'charge'
  | 'payment_intent'
  | 'invoice'
  | 'price'
  | 'event';

/**
 * Whether asking for other objects may still bring something. A key that is not accepted at all (401) is a matter of
 * the process, as an outage is.
 */
const concernsObjectAlone = (failure: StripeFailure): boolean =>
  failure.kind === 'unusable' || (failure.kind === 'refused' && failure.status !== 401);

/** Asks Stripe for one object, within the budget. 404 is an answer; every other failure is `unreachable`. */
export async function askStripe<T>(
  deps: AskDeps,
  kind: LookupKind,
  ask: () => Promise<T>,
): Promise<StripeLookup<T>> {
  if (!(await deps.budget.take())) {
    deps.counters.readsRefused.inc({ reason: 'budget' });
    return { kind: 'unreachable' };
  }
  try {
    return { kind: 'found', object: await ask() };
  } catch (error) {
    const failure = toStripeFailure(error);
    if (failure.kind === 'missing') {
      deps.counters.missingInStripe.inc({ kind });
      return failure;
    }
    if (failure.kind === 'throttled') await deps.budget.throttle(failure.retryAfterMs);
    deps.counters.readsRefused.inc({ reason: failure.kind });
    deps.logger.warn('stripe_read_failed', { object: kind, failure: failure.kind, error });
    return { kind: 'unreachable', isRefused: concernsObjectAlone(failure) };
  }
}

/** A page of one of Stripe's lists, or why there is none. */
export type PageLookup<T> =
  | { kind: 'page'; rows: T[]; hasMore: boolean }
  /** The object that the cursor names was deleted. */
  | { kind: 'missing' }
  | { kind: 'later'; pauseMs: number; why: string }
  | { kind: 'refused'; why: string };

/** Reads a page of a list, within the budget and behind the lookups that something waits for. */
export async function readPage<T>(
  deps: AskDeps,
  signal: AbortSignal,
  ask: () => Promise<{ data: T[]; has_more: boolean }>,
): Promise<PageLookup<T>> {
  if (!(await deps.budget.take('background', signal))) {
    if (signal.aborted) return { kind: 'later', pauseMs: 0, why: 'the worker is stopping' };
    deps.counters.readsRefused.inc({ reason: 'budget' });
    return { kind: 'later', pauseMs: 1_000, why: 'the budget of Stripe reads is spent' };
  }
  try {
    const { data, has_more: hasMore } = checkPage(await ask());
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
    deps.counters.readsRefused.inc({ reason: failure.kind });
    const why = failure.kind === 'unusable' ? 'a list of Stripe cannot be read' : 'Stripe cannot be reached';
    return { kind: 'later', pauseMs: pauseInOutageMs(4), why };
  }
}
