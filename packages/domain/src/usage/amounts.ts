import { z } from 'zod';

/** The greatest quantity, allowance or limit. Sums of thousands of them are still exact in a double. */
export const maxAmount = 1_000_000_000_000;

/** A whole number from 0 to 10¹². */
export const amount = z.number().int().min(0).max(maxAmount);

/** So many of the quantity, at most what an amount can be; null (unlimited) stays null. */
export const timesQuantity = (one: number | null, quantity: number): number | null =>
  one === null ? null : Math.min(maxAmount, one * quantity);

/** The sum of amounts of which null is unlimited. */
export const sumOrUnlimited = (amounts: readonly (number | null)[]): number | null =>
  amounts.reduce<number | null>((sum, one) => (sum === null || one === null ? null : sum + one), 0);

export const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0);
