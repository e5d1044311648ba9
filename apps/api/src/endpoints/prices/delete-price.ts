import { dryRunQuery } from '@billing/domain';
import { deletePrice as deleteRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';

export const deletePrice = defineEndpoint({
  method: 'delete',
  path: '/api/v1/admin/projects/{project_id}/prices/{price_id}',
  operationId: 'deletePrice',
  tag: 'Catalog',
  summary: 'Delete a price that nobody has',
  description: 'A price that a subscription or a purchase has can only be archived.',
  access: { admin: 'admin' },
  takesDryRun: true,
  query: dryRunQuery,
  answers: [{ status: 204, description: 'Deleted.' }],
  errors: ['project_not_found', 'price_not_found', 'price_in_use'],
  handle: async ({ database }, { params, actor }) => {
    await deleteRow(database, { key: { projectId: params.project_id, priceId: params.price_id }, actor });
    return { body: undefined };
  },
});
