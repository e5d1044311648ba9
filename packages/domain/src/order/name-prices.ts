import type { BoughtItem } from '../stripe/bought-items.ts';
import { derivePurchase } from './merge-purchase.ts';
import { claimSources } from './purchase-row.ts';
import type { PurchaseRow } from './purchase-row.ts';
import { namedProject, noOwners } from './resolve-owner.ts';
import type { Catalog, CatalogPrice, KnownOwners } from './resolve-owner.ts';

/** The Stripe price that metadata names by our id; an id that is not ours is taken for Stripe's. */
export function stripePriceNamed(
  priceId: string,
  projectId: string | null,
  prices: readonly CatalogPrice[],
): string {
  const ours = prices.find((price) => price.projectId === projectId && price.priceId === priceId);
  return ours?.stripePriceId ?? priceId;
}

/**
 * The payment with Stripe's ids for prices that metadata names by ours, as far as the catalog has them by now. Until then
 * the row keeps the named id: it may be Stripe's as well. A payment that turns out to name a recurring price without a
 * session carries its subscription's metadata, and bought nothing.
 */
export function withNamedPrices(
  row: PurchaseRow,
  catalog: Pick<Catalog, 'mappings' | 'prices'>,
  known: KnownOwners = noOwners,
): PurchaseRow {
  const projectId = namedProject(row, catalog, known);
  const toStripe = (items: BoughtItem[]): BoughtItem[] =>
    items.map((item) => ({
      ...item,
      stripePriceId: stripePriceNamed(item.stripePriceId, projectId, catalog.prices),
    }));
  const isRecurring = ({ stripePriceId }: BoughtItem): boolean =>
    catalog.prices.some((price) => price.stripePriceId === stripePriceId && price.isRecurring === true);
  const said = { ...row.record.said };
  for (const source of claimSources) {
    const claim = said[source];
    if (claim === undefined || claim.items === null) continue;
    const items = toStripe(claim.items);
    said[source] = { ...claim, items: source !== 'session' && items.some(isRecurring) ? null : items };
  }
  const isSame = JSON.stringify(said) === JSON.stringify(row.record.said);
  return isSame ? row : derivePurchase({ ...row, record: { ...row.record, said } });
}
