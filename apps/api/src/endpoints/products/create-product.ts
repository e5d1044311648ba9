import { createProductRequest } from '@billing/domain';
import { createProduct as createRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { publishChange } from '../publish-change.ts';
import { presentProduct, productAnswer } from './product.ts';

export const createProduct = defineEndpoint({
  method: 'post',
  path: '/api/v1/admin/projects/{project_id}/products',
  operationId: 'createProduct',
  tag: 'Catalog',
  summary: 'Create a product',
  description:
    'A product is a set of feature codes; its prices sell them, and with `stripe_product_id` all prices of that Stripe product do. Plans of one `group` exclude each other; one with `is_default` is for everybody while nothing else of its group is in force. Limits and metered features are described first (`POST …/features`), and are named in `features` with how much the product gives.',
  access: { admin: 'admin' },
  takesDryRun: true,
  body: {
    schema: createProductRequest,
    example: {
      product_id: 'premium',
      name: 'Premium',
      feature_codes: ['premium_export'],
      features: [{ feature_code: 'api_calls', allowance: 1_000, period: 'month' }],
      group: 'plans',
      rank: 2,
      max_trials_per_user: 1,
    },
  },
  answers: [{ status: 201, ...productAnswer }],
  errors: [
    'project_not_found',
    'product_exists',
    'feature_needs_settings',
    'default_exists',
    'stripe_product_mapped',
  ],
  handle: async (deps, { params: { project_id: projectId }, body, actor }) => {
    const created = await createRow(deps.database, { projectId, request: body, actor });
    return { body: presentProduct(await publishChange(deps, created)) };
  },
});
