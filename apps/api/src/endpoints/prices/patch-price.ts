import { patchPriceRequest } from '@billing/domain';
import { patchPrice as patchRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { publishChange } from '../publish-change.ts';
import { presentPrice, priceAnswer } from './price.ts';

export const patchPrice = defineEndpoint({
  method: 'patch',
  path: '/api/v1/admin/projects/{project_id}/prices/{price_id}',
  operationId: 'patchPrice',
  tag: 'Catalog',
  summary: 'Archive a price, or sell it again',
  access: { admin: 'admin' },
  body: { schema: patchPriceRequest, example: { is_archived: true } },
  answers: [{ status: 200, ...priceAnswer }],
  errors: ['project_not_found', 'price_not_found'],
  handle: async (deps, { params, body: patch, actor }) => {
    const key = { projectId: params.project_id, priceId: params.price_id };
    const changed = await patchRow(deps.database, { key, patch, actor });
    return { body: presentPrice(await publishChange(deps, changed)) };
  },
});
