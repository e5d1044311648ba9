import { z } from 'zod';
import { id } from '../ids.ts';
import { fromStripeSeconds } from '../time.ts';
import type { Instant } from '../time.ts';

/** An object as it came: not copied, nothing of it looked at yet. */
export const anyObject = z.custom<Record<string, unknown>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);

const LAST_SECOND = Date.UTC(9999, 11, 31, 23, 59, 59) / 1000;

/** A moment as Stripe writes it: whole seconds. Anything else is no moment, never "now". */
export const seconds = z.number().int().min(0).max(LAST_SECOND).transform(fromStripeSeconds);

/** A moment that may be null or, in some API version, gone: both mean "not said". */
export const secondsOrNull = seconds.nullish().transform((at): Instant | null => at ?? null);

/** The id of an object that may be expanded in place (`expand[]`), or absent. */
export const reference = z
  .union([id, z.object({ id })])
  .nullish()
  .transform((value): string | null =>
    value === null || value === undefined ? null : typeof value === 'string' ? value : value.id,
  );

export const idOrNull = id.nullish().transform((value): string | null => value ?? null);

export const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);

/** An amount in the currency's smallest unit. */
export const amountOrNull = z
  .number()
  .int()
  .min(0)
  .max(Number.MAX_SAFE_INTEGER)
  .nullish()
  .transform((value): number | null => value ?? null);

/** Metered items have no quantity; they count once. */
export const quantity = z
  .number()
  .int()
  .min(0)
  .max(Number.MAX_SAFE_INTEGER)
  .nullish()
  .transform((value): number => value ?? 1);

/** Stripe's own words (a status, a currency): short, and nothing that Postgres can't store. */
export const words = z
  .string()
  .regex(/^[^\p{Cc}\p{Cs}]{0,100}$/u)
  .nullish()
  .transform((value): string | null => value ?? null);
