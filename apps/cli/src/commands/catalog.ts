import { priceList, priceOut, productList, productOut } from '@billing/domain';
import type { PriceOut, ProductOut } from '@billing/domain';
import { Option } from 'commander';
import type { Command } from 'commander';
import { path } from './admin-client.ts';
import {
  callAndShow,
  commaList,
  confirm,
  given,
  list,
  pageable,
  requireChange,
  wholeNumber,
} from './context.ts';
import type { Context } from './context.ts';

const productFields = (product: ProductOut) => ({
  product: product.product_id,
  name: product.name,
  features: product.feature_codes,
  archived: product.is_archived,
});

/** Major units would need each currency's decimals: amounts are shown as Stripe counts them. */
const moneyOf = (price: PriceOut): string => `${price.amount} ${price.currency}`;

const priceFields = (price: PriceOut) => ({
  price: price.price_id,
  'stripe price': price.stripe_price_id,
  product: price.product_id,
  'amount (smallest unit)': moneyOf(price),
  interval: price.interval,
  'access days': price.access_days ?? (price.interval === 'one_time' ? 'for ever' : null),
  archived: price.is_archived,
});

type ArchiveOptions = { archive?: boolean; unarchive?: boolean };

const archiveable = (command: Command): Command =>
  command.option('--archive', 'no new sale; those who have it keep it').option('--unarchive', 'sold again');

const archived = ({ archive, unarchive }: ArchiveOptions): boolean | undefined =>
  archive ? true : unarchive ? false : undefined;

export function addProducts(program: Command, context: Context): void {
  const products = program.command('products').description('Products: what a purchase lets users do');
  pageable(products.command('list <project>').description('Products and their features')).action(
    (project: string, _options, command: Command) =>
      list(context, command, {
        schema: productList,
        call: { path: path`/admin/projects/${project}/products` },
        headings: ['product', 'name', 'archived', 'features'],
        row: (one) => [one.product_id, one.name, one.is_archived, one.feature_codes],
        empty: 'This project has no product yet: products create <project> <product>.',
      }),
  );
  products
    .command('create <project> <product>')
    .description('Make a product')
    .requiredOption('--name <name>', 'for people')
    .requiredOption('--features <list>', 'feature codes, comma-separated', commaList)
    .option('--description <text>')
    .action(async (project: string, product: string, options: { features: string[] }, command: Command) => {
      const { features, ...rest } = options;
      const body = { product_id: product, feature_codes: features, ...rest };
      const call = { method: 'POST' as const, path: path`/admin/projects/${project}/products`, body };
      await callAndShow(context, command, { ...call, schema: productOut, fields: productFields });
    });
  archiveable(
    products.command('update <project> <product>').description('Change a product; what is not given stays'),
  )
    .option('--name <name>')
    .option('--description <text>')
    .option('--features <list>', 'all its feature codes from now on, comma-separated', commaList)
    .action((project: string, product: string, ...[options, command]: [ProductPatch, Command]) =>
      updateProduct(context, command, { project, product, options }),
    );
}

type ProductPatch = ArchiveOptions & { name?: string; description?: string; features?: string[] };

async function updateProduct(
  context: Context,
  command: Command,
  { project, product, options }: { project: string; product: string; options: ProductPatch },
): Promise<void> {
  const { name, description, features } = options;
  const body = requireChange(
    given({ name, description, feature_codes: features, is_archived: archived(options) }),
  );
  if (features !== undefined)
    await confirm(context, command, `Everybody who has ${product} gets exactly these features at once.`);
  const call = { method: 'PATCH' as const, path: path`/admin/projects/${project}/products/${product}`, body };
  await callAndShow(context, command, { ...call, schema: productOut, fields: productFields });
}

type NewPrice = {
  product: string;
  stripePrice: string;
  amount: number;
  currency: string;
  interval: string;
  priceId?: string;
  accessDays?: number;
};

export function addPrices(program: Command, context: Context): void {
  const prices = program.command('prices').description('Prices: which Stripe price sells which product');
  pageable(prices.command('list <project>').description('Prices')).action(
    (project: string, _options, command: Command) =>
      list(context, command, {
        schema: priceList,
        call: { path: path`/admin/projects/${project}/prices` },
        headings: ['price', 'product', 'amount', 'interval', 'archived', 'stripe price'],
        row: (one) => [
          one.price_id,
          one.product_id,
          moneyOf(one),
          one.interval,
          one.is_archived,
          one.stripe_price_id,
        ],
        empty: 'This project has no price yet: prices create <project>.',
      }),
  );
  prices
    .command('create <project>')
    .description('Map a Stripe price to a product, and release what was quarantined for it')
    .requiredOption('--product <product>')
    .requiredOption('--stripe-price <price_…>')
    .requiredOption('--amount <n>', "in the currency's smallest unit: 1900 for 19.00 USD", wholeNumber)
    .requiredOption('--currency <code>', 'three letters')
    .addOption(
      new Option('--interval <interval>').choices(['month', 'year', 'one_time']).makeOptionMandatory(),
    )
    .option('--price-id <id>', "our id (default: Stripe's)")
    .option('--access-days <n>', 'one_time only: how long a purchase lasts (default: for ever)', wholeNumber)
    .action(async (project: string, options: NewPrice, command: Command) => {
      const { product, stripePrice, priceId, accessDays, amount, currency, interval } = options;
      const required = { product_id: product, stripe_price_id: stripePrice, amount, currency, interval };
      const body = { ...required, ...given({ price_id: priceId, access_days: accessDays }) };
      const call = { method: 'POST' as const, path: path`/admin/projects/${project}/prices`, body };
      await callAndShow(context, command, { ...call, schema: priceOut, fields: priceFields });
    });
  archiveable(
    prices.command('update <project> <price>').description('Archive a price, or sell it again'),
  ).action(async (project: string, price: string, options: ArchiveOptions, command: Command) => {
    const body = requireChange(given({ is_archived: archived(options) }));
    const call = { method: 'PATCH' as const, path: path`/admin/projects/${project}/prices/${price}`, body };
    await callAndShow(context, command, { ...call, schema: priceOut, fields: priceFields });
  });
}
