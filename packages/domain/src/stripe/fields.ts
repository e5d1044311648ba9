import { z } from 'zod';
import { id } from '../ids.ts';
import { fromStripeSeconds } from '../time.ts';
import type { Instant } from '../time.ts';

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An object as it arrived: neither copied nor validated. */
export const anyObject = z.custom<Record<string, unknown>>(isRecord);

/** The end of the last year of RFC 3339. */
const lastSecond = Date.UTC(9999, 11, 31, 23, 59, 59) / 1000;

/** A moment as Stripe writes it: whole Unix seconds. Anything else is invalid, never "now". */
export const seconds = z.number().int().min(0).max(lastSecond).transform(fromStripeSeconds);

/** A moment that may be null or, in some API version, absent: both mean "not known". */
export const secondsOrNull = seconds.nullish().transform((at): Instant | null => at ?? null);

/** The id of an object that may be expanded in place (`expand[]`), or absent. */
export const reference = z
  .union([id, z.object({ id })])
  .nullish()
  .transform((value): string | null =>
    value === null || value === undefined ? null : typeof value === 'string' ? value : value.id,
  );

export const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);

const wholeNumber = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).nullish();

/** An amount in the currency's smallest unit. */
export const amountOrNull = wholeNumber.transform((value): number | null => value ?? null);

/** An amount that may be negative: a credit. */
export const signedAmountOrNull = z
  .number()
  .int()
  .nullish()
  .transform((value): number | null => value ?? null);

/** Stripe: metered items have no quantity. They count once. */
export const quantity = wholeNumber.transform((value): number => value ?? 1);

/** Stripe's own words (a status, a currency): short, without characters that Postgres cannot store. */
export const words = z
  .string()
  .regex(/^[^\p{Cc}\p{Cs}]{0,100}$/u)
  .nullish()
  .transform((value): string | null => value ?? null);

/** A decimal number that Stripe's official client read: an object of its own, which JSON writes as a string. */
export const isClientDecimal = (value: unknown): value is { toJSON: () => unknown } =>
  typeof value === 'object' && value !== null && 'toJSON' in value && typeof value.toJSON === 'function';

const clientDecimal = z.custom<{ toJSON: () => unknown }>(isClientDecimal).transform((value): string => {
  const written = value.toJSON();
  return typeof written === 'string' ? written : '';
});

/** A decimal number that is not negative, written without zeros at its end. Stripe: at most 12 decimals. */
export const decimalOrNull = z
  .union([z.string(), z.number(), clientDecimal])
  .nullish()
  .transform((value): string | null => {
    const written = String(value ?? '');
    if (!/^\d{1,18}(\.\d{1,18})?$/.test(written)) return null;
    return written.includes('.') ? written.replace(/\.?0+$/, '') : written;
  });
