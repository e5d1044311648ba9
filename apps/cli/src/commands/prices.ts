import { priceIntervals, priceList, priceOut, usageTypes } from '@billing/domain';
import type { PriceOut } from '@billing/domain';
import { Option } from 'commander';
import type { Command } from 'commander';
import { z } from 'zod';
import { path } from './admin-client.ts';
import { archiveable, archived } from './products.ts';
import type { ArchiveOptions } from './products.ts';
import {
  callAndShow,
  confirm,
  dryRunOption,
  given,
  list,
  pageable,
  requireChange,
  wholeNumber,
} from './context.ts';
import type { Context } from './context.ts';

/** Major units would need each currency's decimals: amounts are shown as Stripe counts them. */
const moneyOf = (price: PriceOut): string => `${price.amount ?? 'no fixed amount'} ${price.currency}`;

const intervalOf = ({ interval, interval_count: count }: PriceOut): string =>
  count === 1 ? interval : `${count} × ${interval}`;

const priceFields = (price: PriceOut) => ({
  price: price.price_id,
  'stripe price': price.stripe_price_id,
  product: price.product_id,
  'amount (smallest unit)': moneyOf(price),
  interval: intervalOf(price),
  usage: price.usage_type,
  'access days': price.access_days ?? (price.interval === 'one_time' ? 'for ever' : null),
  archived: price.is_archived,
  verified: price.verified_at,
});

type PriceTermsOptions = {
  amount?: number;
  currency?: string;
  interval?: string;
  intervalCount?: number;
  usage?: string;
};
type NewPrice = PriceTermsOptions & {
  product: string;
  stripePrice: string;
  priceId?: string;
  accessDays?: number;
};
type PricePatch = PriceTermsOptions & ArchiveOptions & { product?: string };

/** What Stripe knows of a price. */
const withTerms = (command: Command): Command =>
  command
    .option('--amount <n>', "in the currency's smallest unit: 1900 for 19.00 USD", wholeNumber)
    .option('--currency <code>', 'three letters')
    .addOption(new Option('--interval <interval>').choices(priceIntervals))
    .option('--interval-count <n>', 'every how many intervals it is paid', wholeNumber)
    .addOption(new Option('--usage <type>').choices(usageTypes));

const termsOf = ({ amount, currency, interval, intervalCount, usage }: PriceTermsOptions) => ({
  amount,
  currency,
  interval,
  interval_count: intervalCount,
  usage_type: usage,
});

export function addPrices(program: Command, context: Context): void {
  const prices = program.command('prices').description('Prices: which Stripe price sells which product');
  pageable(prices.command('list <project>').description('Prices')).action(
    (project: string, _options, command: Command) =>
      list(context, command, {
        schema: priceList,
        call: { path: path`/admin/projects/${project}/prices` },
        headings: ['price', 'product', 'amount', 'interval', 'archived', 'verified', 'stripe price'],
        row: (one) => [
          one.price_id,
          one.product_id,
          moneyOf(one),
          intervalOf(one),
          one.is_archived,
          one.verified_at !== null,
          one.stripe_price_id,
        ],
        empty: 'This project has no price yet: prices create <project>.',
      }),
  );
  addPriceCreate(prices, context);
  withTerms(
    archiveable(
      prices
        .command('update <project> <price>')
        .description('Correct a price, move it to another product, archive it or sell it again')
        .option(...dryRunOption),
    ),
  )
    .option('--product <product>', 'everybody who has the price gets its features from now on')
    .action((project: string, price: string, ...[options, command]: [PricePatch, Command]) =>
      updatePrice(context, command, { project, price, options }),
    );
  prices
    .command('delete <project> <price>')
    .description('Delete a price that no subscription and no purchase has')
    .option(...dryRunOption)
    .action(async (project: string, price: string, ...[, command]: [object, Command]) => {
      await confirm(context, command, `The price ${price} will be deleted, for good.`);
      const pricePath = path`/admin/projects/${project}/prices/${price}`;
      const schema = z.undefined().transform(() => ({ price_id: price, deleted: true }));
      const fields = () => ({ price, deleted: true });
      await callAndShow(context, command, { method: 'DELETE', path: pricePath, schema, fields });
    });
}

function addPriceCreate(prices: Command, context: Context): void {
  withTerms(
    prices
      .command('create <project>')
      .description('Map a Stripe price to a product, and release what was quarantined for it')
      .option(...dryRunOption)
      .requiredOption('--product <product>')
      .requiredOption('--stripe-price <price_…>'),
  )
    .option('--price-id <id>', "our id (default: Stripe's)")
    .option('--access-days <n>', 'one_time only: how long a purchase lasts (default: for ever)', wholeNumber)
    .addHelpText('after', '\nAmount, currency and interval that are not given are read from Stripe.')
    .action(async (project: string, options: NewPrice, command: Command) => {
      const { product, stripePrice, priceId, accessDays } = options;
      const names = given({ price_id: priceId, access_days: accessDays, ...termsOf(options) });
      const body = { product_id: product, stripe_price_id: stripePrice, ...names };
      const call = { method: 'POST' as const, path: path`/admin/projects/${project}/prices`, body };
      await callAndShow(context, command, { ...call, schema: priceOut, fields: priceFields });
    });
}

async function updatePrice(
  context: Context,
  command: Command,
  { project, price, options }: { project: string; price: string; options: PricePatch },
): Promise<void> {
  const { product } = options;
  const body = requireChange(
    given({ product_id: product, is_archived: archived(options), ...termsOf(options) }),
  );
  if (product !== undefined)
    await confirm(context, command, `Everybody who has ${price} gets the features of ${product} at once.`);
  const call = { method: 'PATCH' as const, path: path`/admin/projects/${project}/prices/${price}`, body };
  await callAndShow(context, command, { ...call, schema: priceOut, fields: priceFields });
}
