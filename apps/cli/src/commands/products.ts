import { productList, productOut } from '@billing/domain';
import type { ProductOut } from '@billing/domain';
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
} from './context.ts';
import type { Context } from './context.ts';

const productFields = (product: ProductOut) => ({
  product: product.product_id,
  name: product.name,
  features: product.feature_codes,
  archived: product.is_archived,
});

export type ArchiveOptions = { archive?: boolean; unarchive?: boolean };

export const archiveable = (command: Command): Command =>
  command.option('--archive', 'no new sale; those who have it keep it').option('--unarchive', 'sold again');

export const archived = ({ archive, unarchive }: ArchiveOptions): boolean | undefined =>
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
    .option(...dryRunOption)
    .requiredOption('--name <name>', 'for people')
    .requiredOption('--features <list>', 'feature codes, comma-separated', commaList)
    .option('--description <text>')
    .action(async (project: string, product: string, options: ProductPatch, command: Command) => {
      const { features, name, description } = options;
      const body = { product_id: product, feature_codes: features, ...given({ name, description }) };
      const call = { method: 'POST' as const, path: path`/admin/projects/${project}/products`, body };
      await callAndShow(context, command, { ...call, schema: productOut, fields: productFields });
    });
  archiveable(
    products
      .command('update <project> <product>')
      .description('Change a product; what is not given stays')
      .option(...dryRunOption),
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
