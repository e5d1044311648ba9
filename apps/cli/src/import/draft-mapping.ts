import { writeFileSync } from 'node:fs';
import { ImportError, readAll } from '@billing/sync';
import type { ImportReadDeps } from '@billing/sync';

/**
 * Writes a mapping file to start from: every active product of the account with all its prices. The feature
 * codes are for a person to fill in. Returns how many products there are. Never overwrites a file.
 */
export async function draftMapping(deps: ImportReadDeps, path: string): Promise<number> {
  const products = await readAll(deps, (params) =>
    deps.sync.stripe.products.list({ ...params, active: true }),
  );
  const mapping = {
    products: products.map(({ id, name }) => ({
      product_id: id,
      name,
      feature_codes: [],
      stripe_product_id: id,
      prices: [],
    })),
  };
  try {
    writeFileSync(path, `${JSON.stringify(mapping, null, 2)}\n`, { flag: 'wx' });
  } catch {
    throw new ImportError(`${path} can't be written, or exists already. Choose the path of a new file.`);
  }
  return products.length;
}
