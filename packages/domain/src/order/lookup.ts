/** What a read from Stripe brought. `missing` (404) is an answer: it is neither an error nor an end. */
export type StripeLookup<T> = { kind: 'found'; object: T } | { kind: 'missing' } | { kind: 'unreachable' };

/** What one event does to an object: a new row, or first a look at Stripe. */
export type Step<Row> = { kind: 'write'; row: Row; outcome: 'applied' | 'stale' } | { kind: 'needs_lookup' };

/** First pause before an object in doubt is read from Stripe; the settling loop spreads later ones. */
export const firstRecheckDelayMs = 2_000;
