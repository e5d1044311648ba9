import { isBillingError } from './billing-error.ts';
import type { BillingError } from './billing-error.ts';

const baseDelayMs = 100;
/** A first try that is still in progress needs the time of a whole call to Stripe. */
const inProgressDelayMs = 1_000;
const longestDelayMs = 2_000;
/** If the service asks for a longer wait than this, the call fails at once rather than try too early. */
const longestRetryAfterMs = 5_000;

export type RetryDelay = {
  error: BillingError;
  /** How many retries were made before. */
  attempt: number;
  /** From 0 to below 1. */
  random: number;
};

/**
 * Milliseconds to wait before the next try: what the service asked for, plus full jitter under an exponential
 * ceiling. Null: do not try again.
 */
export function retryDelayMs({ error, attempt, random }: RetryDelay): number | null {
  if (!error.retryable) return null;
  const askedMs = error.retryAfterMs ?? 0;
  if (askedMs > longestRetryAfterMs) return null;
  const baseMs = error.code === 'idempotency_in_progress' ? inProgressDelayMs : baseDelayMs;
  return askedMs + random * Math.min(longestDelayMs, baseMs * 2 ** attempt);
}

/** What waits is sent again at the latest after this. */
const longestPauseMs = 60_000;

export type Pause = {
  intervalMs: number;
  /** How many sendings failed in a row. */
  failures: number;
  /** What the service asked for, if it did. */
  retryAfterMs: number | null;
  /** From 0 to below 1. */
  random: number;
};

/**
 * Milliseconds until what waits in the background is sent: the interval, doubled for each failure in a row, with jitter, so that
 * many processes do not come back together; never sooner than the service asked for, and never sooner than the interval.
 */
export function pauseMs({ intervalMs, failures, retryAfterMs, random }: Pause): number {
  if (failures === 0) return intervalMs;
  const ceiling = Math.max(intervalMs, Math.min(longestPauseMs, Math.max(1, intervalMs) * 2 ** failures));
  const pause = intervalMs + random * (ceiling - intervalMs);
  return Math.max(pause, Math.min(retryAfterMs ?? 0, longestPauseMs));
}

const wait = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));

/** Runs `attempt` up to `1 + retries` times. Only for calls that are safe to repeat. */
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

/** `Retry-After` in milliseconds: seconds or an HTTP date (RFC 9110, 10.2.3). Null: missing or unreadable. */
export function parseRetryAfterMs(value: string | null, nowMs: number): number | null {
  if (value === null) return null;
  if (/^\s*\d{1,9}\s*$/.test(value)) return Number(value) * 1_000;
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs);
}

/**
 * A unique key. Node 18 has no global `crypto`, and a browser's page without TLS no `randomUUID`; the fallback is
 * still unique enough within one project and 24 hours.
 */
export function createIdempotencyKey(): string {
  const source: Partial<typeof globalThis.crypto> | undefined = globalThis.crypto;
  if (typeof source?.randomUUID === 'function') return source.randomUUID();
  return `${Date.now().toString(36)}-${randomPart()}-${randomPart()}`;
}

const randomPart = (): string => Math.random().toString(36).slice(2).padEnd(11, '0');

/** Why `value` cannot be sent as an `Idempotency-Key`, or null. 255 characters is also Stripe's limit. */
export const idempotencyKeyProblem = (value: string): string | null =>
  /^[\x21-\x7e]{1,255}$/.test(value) ? null : 'must be 1 to 255 visible ASCII characters';
