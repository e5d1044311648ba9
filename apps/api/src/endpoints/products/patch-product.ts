import { patchProductRequest } from '@billing/domain';
import { patchProduct as patchRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { publishChange } from '../publish-change.ts';
import { presentProduct, productAnswer } from './product.ts';

export const patchProduct = defineEndpoint({
  method: 'patch',
  path: '/api/v1/admin/projects/{project_id}/products/{product_id}',
  operationId: 'patchProduct',
  tag: 'Catalog',
  summary: 'Change a product',
  description:
    "New `feature_codes` and `features` are in every affected user's next answer. `feature_codes` replaces all codes, of which those that stay keep their settings; `features` replaces those with settings. A new `stripe_product_id` releases what waited for its prices. Archived: no new sale; those who have it keep it.",
  access: { admin: 'admin' },
  takesDryRun: true,
  body: {
    schema: patchProductRequest,
    example: { feature_codes: ['premium_export', 'api'], is_archived: false },
  },
  answers: [{ status: 200, ...productAnswer }],
  errors: [
    'project_not_found',
    'product_not_found',
    'feature_needs_settings',
    'default_exists',
    'stripe_product_mapped',
  ],
  handle: async (deps, { params, body: patch, actor }) => {
    const key = { projectId: params.project_id, productId: params.product_id };
    const changed = await patchRow(deps.database, { key, patch, actor });
    return { body: presentProduct(await publishChange(deps, changed)) };
  },
});
