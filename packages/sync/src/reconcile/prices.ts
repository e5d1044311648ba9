import type { DriftEntry } from '@billing/domain';
import { listPricesAfter, termsOf } from '@billing/store';
import type { Price, Run } from '@billing/store';
import type { MaintenanceDeps } from '../deps.ts';
import { inBackground } from '../stripe/read-budget.ts';
import { comparePrice, keepComparison } from '../verify-prices.ts';
import type { PriceComparison } from '../verify-prices.ts';
import type { ComparedPage } from './compare-page.ts';

/** Each needs a lookup: few at a time, so that the run saves its position often. */
const perStep = 20;

/** A price that differs is reported and left: only an operator knows whether the catalog or the mapping is wrong. */
function driftOf(price: Price, comparison: PriceComparison): DriftEntry[] {
  const object_id = price.stripePriceId;
  if (comparison.check === 'same') return [];
  if (comparison.check === 'missing') {
    const { amount, currency, interval } = termsOf(price);
    return [
      { kind: 'price_missing_in_stripe', object_id, before: { amount, currency, interval }, after: null },
    ];
  }
  const side = (name: 'given' | 'stripe'): Record<string, unknown> =>
    Object.fromEntries(comparison.differences.map((field) => [field.path, field[name]]));
  return [{ kind: 'price_differs', object_id, before: side('given'), after: side('stripe') }];
}

/** The catalog's prices, of one project or of all, each beside Stripe's. */
export async function comparePrices(
  deps: MaintenanceDeps,
  { run, after }: { run: Run; after: string | null },
): Promise<ComparedPage> {
  const query = { projectId: run.projectId, after: after ?? '', limit: perStep };
  const prices = await listPricesAfter(deps.database, query);
  const drift: DriftEntry[] = [];
  for (const price of prices) {
    const comparison = await comparePrice(inBackground(deps), price);
    if (comparison === 'unreachable')
      return { kind: 'later', pauseMs: 1_000, why: 'Stripe cannot be reached' };
    if (comparison === 'not_usable') continue;
    if (!run.dryRun) await keepComparison(deps, price, comparison);
    drift.push(...driftOf(price, comparison));
  }
  for (const { kind } of drift) deps.metrics.reconcileDrift.inc({ kind });
  const last = prices.length === perStep ? (prices.at(-1)?.stripePriceId ?? null) : null;
  return { kind: 'compared', synced: prices.length, objects: prices.length, drift, after: last };
}
