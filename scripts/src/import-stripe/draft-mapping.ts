import { writeFileSync } from 'node:fs';
import type { ImportDeps } from './import-deps.ts';
import { ImportError } from './import-error.ts';
import { readStripe } from './each-page.ts';

/**
 * Writes a mapping file to start from: every active product of the account with all its prices. The feature
 * codes are for a person to fill in. Returns how many products there are. Never overwrites a file.
 */
export async function draftMapping(deps: ImportDeps, path: string): Promise<number> {
  const products = [];
  for (let after: string | undefined, hasMore = true; hasMore;) {
    const from = after === undefined ? {} : { starting_after: after };
    const page = await readStripe(deps, () =>
      deps.worker.stripe.products.list({ limit: 100, active: true, ...from }),
    );
    products.push(...page.data);
    after = page.data.at(-1)?.id;
    hasMore = page.has_more && after !== undefined;
  }
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
