import { startOldAccount } from './import.test-support.ts';
import { summarize } from './summary.ts';

let account: Awaited<ReturnType<typeof startOldAccount>>;
beforeAll(async () => {
  account = await startOldAccount();
});
afterAll(() => account.close());

const calls = { feature_code: 'api_calls', allowance: 1_000, period: 'month' as const };
const settings = {
  allowance: 1_000,
  period: 'month' as const,
  anchor: 'source' as const,
  per_unit: false,
  overage: 'deny' as const,
  overage_limit: null,
};

async function mappingOf(productId: string, allowance = calls.allowance) {
  const { priceId } = await account.price(productId, { interval: 'month' });
  return {
    features: [{ feature_code: 'api_calls', kind: 'metered' as const, counted: false, thresholds: [80] }],
    products: [
      {
        product_id: productId,
        name: productId,
        feature_codes: ['export'],
        features: [{ feature_code: 'api_calls', settings: { ...settings, allowance } }],
        prices: [{ stripe_price_id: priceId }],
      },
    ],
  };
}

test('features are described and products get their settings; what exists stays, and a difference is said', async () => {
  const mapping = await mappingOf('pro');
  const foretold = await account.run({ mapping }, { isDryRun: true });
  expect(await account.database.feature.count()).toBe(0);
  const done = await account.run({ mapping });
  expect(foretold.counts).toEqual(done.counts);
  expect(done.counts).toMatchObject({ features_created: 1, products_created: 1 });
  const product = { where: { projectId_productId: { projectId: 'shop', productId: 'pro' } } };
  expect(await account.database.product.findUnique(product)).toMatchObject({
    featureCodes: ['export', 'api_calls'],
    features: { api_calls: settings },
  });

  const again = await account.run({ mapping });
  expect(again.counts).toMatchObject({ features_there_already: 1, products_there_already: 1 });
  expect(again.findings).toEqual({});

  const [mapped] = mapping.products;
  const other = {
    features: [{ feature_code: 'api_calls', kind: 'limit' as const, counted: false, thresholds: [] }],
    products: mapped === undefined ? [] : [{ ...mapped, features: [] }],
  };
  const { findings, counts } = await account.run({ mapping: other });
  expect(findings).toMatchObject({
    features_of_another_kind: { examples: ['api_calls'] },
    products_with_other_features: { examples: ['pro'] },
  });
  expect(summarize({ findings, counts }, false)).toContain('described as another kind');
});

test('settings that do not fit end the import with what to correct', async () => {
  const mapping = await mappingOf('team');
  const [product] = mapping.products;
  const unfit = {
    products: product === undefined ? [] : [{ ...product, features: [{ feature_code: 'nobody', settings }] }],
  };
  await expect(account.run({ mapping: unfit })).rejects.toThrow(
    /The product team of the mapping can't be made.*features\.0\.feature_code is boolean/,
  );
});
