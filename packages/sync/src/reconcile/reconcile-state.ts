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
  'subscriptions_without_owner',
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
  looked_back_to: null,
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
  const all = [...result.drift, ...drift];
  const foundOf = (kinds: readonly DriftEntry['kind'][]): number =>
    drift.filter(({ kind }) => kinds.includes(kind)).length;
  return {
    ...result,
    [`${objects}_synced`]: (result[`${objects}_synced`] ?? 0) + synced,
    // A list of sessions brings both.
    subscriptions_updated:
      result.subscriptions_updated + foundOf(['subscription_created', 'subscription_updated']),
    subscriptions_missing_in_stripe:
      result.subscriptions_missing_in_stripe + foundOf(['subscription_missing_in_stripe']),
    purchases_updated: result.purchases_updated + foundOf(['purchase_created', 'purchase_updated']),
    purchases_missing_in_stripe: result.purchases_missing_in_stripe + foundOf(['purchase_missing_in_stripe']),
    prices_differing: (result.prices_differing ?? 0) + foundOf(['price_differs']),
    prices_missing_in_stripe: (result.prices_missing_in_stripe ?? 0) + foundOf(['price_missing_in_stripe']),
    drift: all.slice(0, mostListed),
    drift_truncated: result.drift_truncated || all.length > mostListed,
  };
}
