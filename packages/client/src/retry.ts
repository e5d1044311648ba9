import { isBillingError } from './billing-error.ts';
import type { BillingError } from './billing-error.ts';

const BASE_DELAY_MS = 100;
/** A first try that is still under way needs the time of a whole call to Stripe, not of a hiccup. */
const IN_PROGRESS_BASE_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 2_000;
/** Who is asked to wait longer than this gives up at once rather than knock too early. */
const LONGEST_RETRY_AFTER_MS = 5_000;

export type RetryDelay = {
  error: BillingError;
  /** How many retries were made before. */
  attempt: number;
  /** From 0 to below 1. */
  random: number;
};

/**
 * How long to wait before the next try, in milliseconds: full jitter under an exponential ceiling, after what
 * the service asked to wait. Null: do not try again.
 */
export function retryDelayMs({ error, attempt, random }: RetryDelay): number | null {
  if (!error.retryable) return null;
  const askedMs = error.retryAfterMs ?? 0;
  if (askedMs > LONGEST_RETRY_AFTER_MS) return null;
  const baseMs = error.code === 'idempotency_in_progress' ? IN_PROGRESS_BASE_DELAY_MS : BASE_DELAY_MS;
  return askedMs + random * Math.min(LONGEST_DELAY_MS, baseMs * 2 ** attempt);
}

const wait = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));

/** Runs `attempt` up to `1 + retries` times. Only for calls whose repetition does no harm. */
export async function withRetries<T>(retries: number, attempt: () => Promise<T>): Promise<T> {
  for (let made = 0; ; made += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (made >= retries || !isBillingError(error)) throw error;
      const delayMs = retryDelayMs({ error, attempt: made, random: Math.random() });
      if (delayMs === null) throw error;
      await wait(delayMs);
    }
  }
}

/** `Retry-After` in milliseconds from `nowMs`: seconds or an HTTP date (RFC 9110, 10.2.3). Null: none to be read. */
export function parseRetryAfterMs(value: string | null, nowMs: number): number | null {
  if (value === null) return null;
  if (/^\s*\d{1,9}\s*$/.test(value)) return Number(value) * 1_000;
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs);
}
