import { runList, runsQuery } from '@billing/domain';
import { listRuns as listRows } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { pageExample, presentPage } from '../page.ts';
import { presentRun, runExample } from './run.ts';

export const listRuns = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/runs',
  operationId: 'listRuns',
  tag: 'Maintenance',
  summary: 'Runs of every kind',
  description: 'What takes longer than a request. Runs that are over are kept for 90 days.',
  access: { admin: 'viewer', limitedBy: 'handler' },
  readsReplica: true,
  query: runsQuery,
  answers: [{ status: 200, description: 'Newest first.', schema: runList, example: pageExample(runExample) }],
  errors: [],
  handle: async ({ reader }, { query, onlyProject }) => ({
    body: presentPage(await listRows(reader, { ...query, onlyProject }), presentRun),
  }),
});
