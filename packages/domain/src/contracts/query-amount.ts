import { z } from 'zod';

const decimal = /^-?\d+(?:\.\d+)?$/;

/**
 * A whole number in a query, from 0 on. `z.coerce` would take an empty text for 0, which means something here, and `0x10`
 * for 16.
 */
export const queryAmount = (most: number) =>
  z.preprocess(
    (value) => (typeof value === 'string' ? (decimal.test(value) ? Number(value) : Number.NaN) : value),
    z.number().int().min(0).max(most),
  );
