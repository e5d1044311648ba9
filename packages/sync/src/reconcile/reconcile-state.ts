import { reconcileResult } from '@billing/domain';
import type { DriftEntry, ReconcileResult } from '@billing/domain';
import { z } from 'zod';

/** The lists in the order in which they are compared: payments before the sessions, and these before the invoices and refunds of their payments. */
export const phases = [
  'subscriptions',
  'subscriptions_not_listed',
  'payment_intents',
  'checkout_sessions',
  'invoices',
  'refunds',
  'disputes',
  'purchases_not_listed',
  'prices',
] as const;
export type Phase = (typeof phases)[number];

export const reconcileState = z.object({
  phase: z.enum(phases),
  /** The last object of the previous page; null: from the start. */
  after: z.string().nullable(),
  /** Objects compared so far. */
  objects: z.number().int(),
  /** Only payments created since are compared; in seconds. */
  since: z.number().int(),
});
export type ReconcileState = z.output<typeof reconcileState>;

export const storedResult = reconcileResult;

export const emptyResult: ReconcileResult = {
  subscriptions_synced: 0,
  subscriptions_updated: 0,
  subscriptions_missing_in_stripe: 0,
  purchases_synced: 0,
  purchases_updated: 0,
  purchases_missing_in_stripe: 0,
  prices_synced: 0,
  prices_differing: 0,
  prices_missing_in_stripe: 0,
  drift: [],
  drift_truncated: false,
};

/** All differences are counted; that many are listed. */
const mostListed = 1_000;

export type Found = { synced: number; drift: readonly DriftEntry[] };

/** Adds the result of a page. */
export function withFound(
  result: ReconcileResult,
  objects: 'subscriptions' | 'purchases' | 'prices',
  { synced, drift }: Found,
): ReconcileResult {
  const missing = drift.filter(({ kind }) => kind.endsWith('_missing_in_stripe')).length;
  const other = objects === 'prices' ? 'prices_differing' : (`${objects}_updated` as const);
  const all = [...result.drift, ...drift];
  return {
    ...result,
    [`${objects}_synced`]: (result[`${objects}_synced`] ?? 0) + synced,
    [other]: (result[other] ?? 0) + drift.length - missing,
    [`${objects}_missing_in_stripe`]: (result[`${objects}_missing_in_stripe`] ?? 0) + missing,
    drift: all.slice(0, mostListed),
    drift_truncated: result.drift_truncated || all.length > mostListed,
  };
}
