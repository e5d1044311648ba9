import { z } from 'zod';

/** A moment: milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

/** Gives a process the present time; tests pass one that they can move. */
export type Clock = () => Instant;

export const systemClock: Clock = () => Date.now();

export const secondMs = 1_000;
export const hourMs = 3_600 * secondMs;
export const dayMs = 24 * hourMs;

/** RFC 3339 in UTC with milliseconds: the format of every timestamp in the API. */
export const toTimestamp = (at: Instant): string => new Date(at).toISOString();

export const toTimestampOrNull = (at: Instant | null): string | null =>
  at === null ? null : toTimestamp(at);

/** Stripe's timestamps are whole seconds. */
export const fromStripeSeconds = (seconds: number): Instant => seconds * secondMs;

/** The earlier of two moments, of which either may be unknown. */
export const earliest = (a: Instant | null, b: Instant | null): Instant | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b);

/** The end of the last year of RFC 3339. */
const lastInstant: Instant = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

const timestampRule =
  'RFC 3339 with `T`, seconds and `Z` or an offset, without leap seconds; from 1970 to 9999 in UTC.';

/** An RFC 3339 timestamp with an offset; parsed to an `Instant`. `meaning` is its description. */
export const timestamp = (meaning: string) =>
  z.iso
    .datetime({ offset: true })
    .transform((value) => Date.parse(value))
    .refine((at) => at >= 0 && at <= lastInstant, { message: 'must lie between the years 1970 and 9999' })
    .meta({ description: `${meaning} ${timestampRule}` });
