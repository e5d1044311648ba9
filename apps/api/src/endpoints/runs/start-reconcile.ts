import { reconcileRequest, runAccepted } from '@billing/domain';
import { requestReconcile } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { announceRun } from './announce-run.ts';

export const startReconcile = defineEndpoint({
  method: 'post',
  path: '/api/v1/admin/reconcile',
  operationId: 'startReconcile',
  tag: 'Maintenance',
  summary: 'Compare with Stripe and repair',
  description:
    'Runs in the worker, within the budget of Stripe reads; also every night by itself. While the queue is away the run waits in the database.',
  access: { admin: 'operator', limitedBy: 'body' },
  body: { schema: reconcileRequest, example: { dry_run: true } },
  answers: [{ status: 202, description: 'Started.', schema: runAccepted, example: { run_id: 'run_5b1e' } }],
  errors: ['project_not_found'],
  handle: async (deps, { body: { dry_run: dryRun, project_id: projectId = null }, actor }) => {
    const { runId } = await requestReconcile(deps.database, { dryRun, projectId }, actor);
    await announceRun(deps, 'reconcile', runId);
    return { body: { run_id: runId } };
  },
});
