import { productOut } from '@billing/domain';
import type { ProductOut } from '@billing/domain';
import type { Product } from '@billing/store';
import { datesExample, presentDates } from '../page.ts';

export const presentProduct = (row: Product): ProductOut => ({
  project_id: row.projectId,
  product_id: row.productId,
  name: row.name,
  description: row.description,
  feature_codes: row.featureCodes,
  is_archived: row.isArchived,
  ...presentDates(row),
});

export const productExample = {
  project_id: 'shop',
  product_id: 'premium',
  name: 'Premium',
  description: null,
  feature_codes: ['premium_export'],
  is_archived: false,
  ...datesExample,
};

export const productAnswer = { description: 'The product.', schema: productOut, example: productExample };
