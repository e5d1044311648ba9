import { productList, productOut } from '@billing/domain';
import type { ProductOut } from '@billing/domain';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { path } from './admin-client.ts';
import {
  callAndShow,
  commaList,
  confirm,
  dryRunOption,
  given,
  list,
  pageable,
  requireChange,
  wholeNumber,
} from './context.ts';
import { CliError } from './cli-error.ts';
import type { Context } from './context.ts';

const productFields = (product: ProductOut) => ({
  product: product.product_id,
  name: product.name,
  features: product.feature_codes,
  ...(product.features.length === 0 ? {} : { settings: JSON.stringify(product.features) }),
  ...(product.group === null ? {} : { group: product.group, rank: product.rank }),
  ...(product.is_default ? { default: true } : {}),
  ...(product.max_trials_per_user === null ? {} : { 'trials per user': product.max_trials_per_user }),
  ...(product.stripe_product_id === null ? {} : { 'stripe product': product.stripe_product_id }),
  ...(product.access_days === null ? {} : { 'access days': product.access_days }),
  archived: product.is_archived,
});

function parseSettings(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError(
      'Give a JSON list, such as [{"feature_code":"api_calls","allowance":1000,"period":"month"}].',
    );
  }
}

const settingsOption = [
  '--settings <json>',
  'its limits and metered features, as `features` of the API',
  parseSettings,
] as const;

export type ArchiveOptions = { archive?: boolean; unarchive?: boolean };

export const archiveable = (command: Command): Command =>
  command.option('--archive', 'no new sale; those who have it keep it').option('--unarchive', 'sold again');

export const archived = ({ archive, unarchive }: ArchiveOptions): boolean | undefined =>
  archive ? true : unarchive ? false : undefined;

type PlanOptions = {
  group?: string;
  rank?: number;
  default?: boolean;
  maxTrials?: number;
  stripeProduct?: string;
  accessDays?: number;
};

/** What makes a product a plan. An empty name takes it away. */
const planned = (command: Command): Command =>
  command
    .option('--group <word>', 'plans of one group exclude each other (empty: none)')
    .option('--rank <n>', 'within the group: higher is dearer', wholeNumber)
    .option('--default', 'everybody has it while nothing else of its group is in force')
    .option('--no-default', 'only who buys it has it')
    .option('--max-trials <n>', 'how many trials a user may have of the group', wholeNumber)
    .option('--stripe-product <id>', 'all prices of this Stripe product are sold as it (empty: none)')
    .option('--access-days <n>', 'of its one-time prices that are not mapped', wholeNumber);

const orNone = (name: string | undefined): string | null | undefined => (name === '' ? null : name);

const planFields = (options: PlanOptions) => ({
  group: orNone(options.group),
  rank: options.rank,
  is_default: options.default,
  max_trials_per_user: options.maxTrials,
  stripe_product_id: orNone(options.stripeProduct),
  access_days: options.accessDays,
});

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
  planned(
    products
      .command('create <project> <product>')
      .description('Make a product')
      .option(...dryRunOption),
  )
    .requiredOption('--name <name>', 'for people')
    .option('--features <list>', 'feature codes without settings, comma-separated', commaList)
    .option(...settingsOption)
    .option('--description <text>')
    .action(async (project: string, product: string, options: ProductPatch, command: Command) => {
      const { features, settings, name, description } = options;
      if (features === undefined && settings === undefined)
        throw new CliError('usage', 'Say what the product gives: --features, --settings or both.');
      const gives = given({ feature_codes: features, features: settings });
      const body = { product_id: product, ...gives, ...given({ name, description, ...planFields(options) }) };
      const call = { method: 'POST' as const, path: path`/admin/projects/${project}/products`, body };
      await callAndShow(context, command, { ...call, schema: productOut, fields: productFields });
    });
  archiveable(
    planned(
      products
        .command('update <project> <product>')
        .description('Change a product; what is not given stays')
        .option(...dryRunOption),
    ),
  )
    .option('--name <name>')
    .option('--description <text>')
    .option(
      '--features <list>',
      'all its feature codes from now on, comma-separated; those that stay keep their settings',
      commaList,
    )
    .option(...settingsOption)
    .action((project: string, product: string, ...[options, command]: [ProductPatch, Command]) =>
      updateProduct(context, command, { project, product, options }),
    );
}

type ProductPatch = ArchiveOptions &
  PlanOptions & {
    name?: string;
    description?: string;
    features?: string[];
    settings?: unknown;
  };

async function updateProduct(
  context: Context,
  command: Command,
  { project, product, options }: { project: string; product: string; options: ProductPatch },
): Promise<void> {
  const { name, description, features, settings } = options;
  const gives = { feature_codes: features, features: settings };
  const more = { ...planFields(options), is_archived: archived(options) };
  const body = requireChange(given({ name, description, ...gives, ...more }));
  if (features !== undefined || settings !== undefined)
    await confirm(context, command, `Everybody who has ${product} gets exactly these features at once.`);
  if (options.default !== undefined)
    await confirm(
      context,
      command,
      `Every user of ${project} ${options.default ? 'gets' : 'loses'} ${product} at once.`,
    );
  const call = { method: 'PATCH' as const, path: path`/admin/projects/${project}/products/${product}`, body };
  await callAndShow(context, command, { ...call, schema: productOut, fields: productFields });
}
