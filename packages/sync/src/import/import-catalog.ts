import { priceDifferences, stripePriceTerms, withStripeTerms } from '@billing/domain';
import { createPrice, patchPrice } from '@billing/store';
import type { NewPrice } from '@billing/store';
import type { Stripe } from 'stripe';
import { readAll } from './each-page.ts';
import { importActor } from './import-deps.ts';
import { ensureFeature, ensureProduct, published, unlessThere } from './import-products.ts';
import type { ImportDeps, PhaseDeps } from './import-deps.ts';
import { count, note } from './import-state.ts';
import type { MappedPrice, MappedProduct, Mapping } from './mapping.ts';

/** A price of the mapping as the catalog shall hold it. */
export type PlannedPrice = { product: MappedProduct; price: NewPrice; isArchived: boolean };

/** All prices of the account, by id; there are few. */
async function listPrices(deps: ImportDeps): Promise<Map<string, Stripe.Price>> {
  const prices = await readAll(
    deps,
    (params) => deps.sync.stripe.prices.list(params),
    (read) => deps.progress.at('prices', read),
  );
  return new Map(prices.map((price) => [price.id, price]));
}

/** Every field as Stripe has it. */
const asStripeHasThem = {
  amount: undefined,
  currency: undefined,
  interval: undefined,
  intervalCount: undefined,
  usageType: undefined,
};

const productOf = ({ product }: Stripe.Price): string => (typeof product === 'string' ? product : product.id);

function planPrice(
  { tally }: PhaseDeps,
  {
    product,
    mapped,
    price,
  }: { product: MappedProduct; mapped: MappedPrice; price: Stripe.Price | undefined },
): PlannedPrice[] {
  const stripePriceId = mapped.stripe_price_id;
  if (price === undefined) {
    note(tally, 'prices_not_in_stripe', stripePriceId);
    return [];
  }
  const terms = stripePriceTerms.safeParse(price);
  if (!terms.success) {
    note(tally, 'prices_not_understood', stripePriceId);
    return [];
  }
  const { amount, interval } = mapped;
  const given = { ...asStripeHasThem, amount, interval };
  if (priceDifferences(given, terms.data).length > 0)
    note(tally, 'prices_that_stripe_has_otherwise', stripePriceId);
  const isOnce = terms.data.interval === 'one_time';
  const planned = {
    priceId: mapped.price_id ?? stripePriceId,
    productId: product.product_id,
    stripePriceId,
    accessDays: isOnce ? (mapped.access_days ?? null) : null,
    ...withStripeTerms(asStripeHasThem, terms.data),
  };
  return [{ product, price: planned, isArchived: !price.active }];
}

/** The prices to create by the mapping, with the terms that Stripe has; notes those that Stripe does not have. */
export async function planCatalog(deps: PhaseDeps, mapping: Mapping): Promise<PlannedPrice[]> {
  const prices = await listPrices(deps);
  const named = new Set(
    mapping.products.flatMap((product) => product.prices.map((price) => price.stripe_price_id)),
  );
  return mapping.products.flatMap((product) => {
    const others = [...prices.values()].filter(
      (price) => productOf(price) === product.stripe_product_id && !named.has(price.id),
    );
    const wanted: MappedPrice[] = [
      ...product.prices,
      ...others.map(({ id }) => ({ stripe_price_id: id, access_days: product.access_days })),
    ];
    return wanted.flatMap((mapped) =>
      planPrice(deps, { product, mapped, price: prices.get(mapped.stripe_price_id) }),
    );
  });
}

/** Creates what is missing; what exists stays as it is. Returns the prices that belong to the project. */
export async function applyCatalog(
  deps: PhaseDeps,
  { mapping, planned }: { mapping: Mapping; planned: readonly PlannedPrice[] },
): Promise<PlannedPrice[]> {
  for (const feature of mapping.features ?? []) await ensureFeature(deps, feature);
  for (const product of mapping.products) await ensureProduct(deps, product);
  const ours = [];
  for (const price of planned) if (await ensurePrice(deps, price)) ours.push(price);
  return ours;
}

/** Returns whether the price belongs to the project now. */
async function ensurePrice(deps: PhaseDeps, { price, isArchived }: PlannedPrice): Promise<boolean> {
  const { sync, projectId, tally, isDryRun } = deps;
  const known = await sync.database.price.findUnique({ where: { stripePriceId: price.stripePriceId } });
  if (known !== null) {
    const isSame = known.projectId === projectId && known.productId === price.productId;
    if (isSame) count(tally, 'prices_there_already');
    else
      note(
        tally,
        'prices_of_another_product',
        `${known.stripePriceId} (${known.projectId}/${known.productId})`,
      );
    return known.projectId === projectId;
  }
  if (isDryRun) {
    count(tally, 'prices_created');
    return true;
  }
  const now = sync.clock();
  const made = await unlessThere('price_exists', () =>
    createPrice(sync.database, { projectId, price, check: 'same', now, actor: importActor }),
  );
  if (made === null) {
    note(tally, 'prices_whose_id_is_taken', price.stripePriceId);
    return false;
  }
  const { priceId } = await published(deps, made);
  count(tally, 'prices_created');
  const patch = { key: { projectId, priceId }, changes: { isArchived: true }, now, actor: importActor };
  if (isArchived) await published(deps, await patchPrice(sync.database, patch));
  return true;
}
