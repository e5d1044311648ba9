import { productOut } from '@billing/domain';
import type { ProductOut } from '@billing/domain';
import { productFeaturesOf, toPlanOut } from '@billing/store';
import type { Product } from '@billing/store';
import { datesExample, presentDates } from '../page.ts';

export const presentProduct = (row: Product): ProductOut => ({
  project_id: row.projectId,
  product_id: row.productId,
  name: row.name,
  description: row.description,
  feature_codes: row.featureCodes,
  features: productFeaturesOf(row),
  ...toPlanOut(row),
  is_archived: row.isArchived,
  ...presentDates(row),
});

export const productExample = {
  project_id: 'shop',
  product_id: 'premium',
  name: 'Premium',
  description: null,
  feature_codes: ['premium_export', 'api_calls'],
  features: [
    {
      feature_code: 'api_calls',
      allowance: 1_000,
      period: 'month',
      anchor: 'source',
      per_unit: false,
      overage: 'deny',
      overage_limit: null,
    },
  ],
  group: 'plans',
  rank: 2,
  is_default: false,
  max_trials_per_user: 1,
  stripe_product_id: null,
  access_days: null,
  is_archived: false,
  ...datesExample,
};

export const productAnswer = { description: 'The product.', schema: productOut, example: productExample };
