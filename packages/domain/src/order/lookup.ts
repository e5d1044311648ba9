import type { Instant } from '../time.ts';

/** Stripe's answer to a lookup. `missing` (404) is an answer: neither an error nor the object's end. */
export type StripeLookup<T> =
  | { kind: 'found'; object: T }
  | { kind: 'missing' }
  /** `isRefused`: Stripe answers, but not this (a permission that the key lacks, an object that cannot be read). */
  | { kind: 'unreachable'; isRefused?: boolean };

/** What one event does to an object: a new row, or first a look at Stripe. */
export type Step<Row> = { kind: 'write'; row: Row; outcome: 'applied' | 'stale' } | { kind: 'needs_lookup' };

/** It is recorded, and means nothing for any row. */
export type Ignored = { kind: 'ignored'; reason: string };

/** Time until the first recheck of an unconfirmed row; the recheck loop spreads later ones. */
export const firstRecheckDelayMs = 2_000;

/** Fields of a row whose state is certain. */
export const confirmedState = {
  confirmed: true,
  recheckAt: null,
  recheckAttempts: 0,
  missingInStripeAt: null,
} as const;

/**
 * Fields of a row that keeps the best known state after a lookup without an object. Out of reach: it is
 * rechecked later. Missing in Stripe: it is not, as a 404 is an answer (invariant "order does not matter").
 */
export const unconfirmedState = (
  row: { recheckAt: Instant | null },
  lookup: { kind: 'missing' | 'unreachable' },
  now: Instant,
) =>
  lookup.kind === 'missing'
    ? { confirmed: false, recheckAt: null, recheckAttempts: 0, missingInStripeAt: now }
    : { confirmed: false, recheckAt: row.recheckAt ?? now + firstRecheckDelayMs };
