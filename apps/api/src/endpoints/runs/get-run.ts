import { runOut } from '@billing/domain';
import { getRun as getRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import type { Endpoint } from '../../http/define-endpoint.ts';
import { presentRun, requireRun, runExample } from './run.ts';

export const getRun = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/runs/{run_id}',
  operationId: 'getRun',
  tag: 'Maintenance',
  summary: 'How a run is doing',
  access: { admin: 'viewer', limitedBy: 'handler' },
  answers: [
    { status: 200, description: 'The run, with its result so far.', schema: runOut, example: runExample },
  ],
  errors: ['run_not_found'],
  handle: async ({ database }, { params, onlyProject }) => ({
    body: presentRun(requireRun(await getRow(database, params.run_id), onlyProject)),
  }),
});

/** The old name. */
export const getReconcileRun: Endpoint = {
  ...getRun,
  path: '/api/v1/admin/reconcile/{run_id}',
  operationId: 'getReconcileRun',
  summary: 'How a run is doing (the old name)',
  description: 'The same as `GET /api/v1/admin/runs/{run_id}`.',
};
