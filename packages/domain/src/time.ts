import { z } from 'zod';

/** A moment: milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

/** Where a process gets the present from; tests pass one that they can move. */
export type Clock = () => Instant;

export const systemClock: Clock = () => Date.now();

export const secondMs = 1_000;
export const hourMs = 3_600 * secondMs;
export const dayMs = 24 * hourMs;

/** RFC 3339 in UTC with milliseconds, as everywhere on the wire. */
export const toTimestamp = (at: Instant): string => new Date(at).toISOString();

export const toTimestampOrNull = (at: Instant | null): string | null =>
  at === null ? null : toTimestamp(at);

/** Stripe's timestamps are whole seconds. */
export const fromStripeSeconds = (seconds: number): Instant => seconds * secondMs;

/** From the beginning of Unix time to the last year that RFC 3339 can say. */
const EARLIEST: Instant = Date.UTC(1970, 0, 1);
const LATEST: Instant = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** An RFC 3339 timestamp with an offset, as input; the parsed value is an `Instant`. */
export const timestamp = z.iso
  .datetime({ offset: true })
  .transform((value) => Date.parse(value))
  .refine((at) => at >= EARLIEST && at <= LATEST, { message: 'must lie between the years 1970 and 9999' });
