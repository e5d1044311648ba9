import { derivePurchase } from './merge-purchase.ts';
import { claimSources } from './purchase-row.ts';
import type { BoughtItem, PurchaseRow } from './purchase-row.ts';
import { namedProject, noOwners, stripePriceNamed } from './resolve-owner.ts';
import type { Catalog, KnownOwners } from './resolve-owner.ts';

/**
 * The payment with Stripe's ids for prices that metadata names by ours, as far as the catalog has them by now. Until then
 * the row keeps the named id: it may be Stripe's as well.
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
  const said = { ...row.record.said };
  for (const source of claimSources) {
    const claim = said[source];
    if (claim !== undefined && claim.items !== null)
      said[source] = { ...claim, items: toStripe(claim.items) };
  }
  const isSame = JSON.stringify(said) === JSON.stringify(row.record.said);
  return isSame ? row : derivePurchase({ ...row, record: { ...row.record, said } });
}
