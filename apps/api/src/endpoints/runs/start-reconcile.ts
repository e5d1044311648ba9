import { reconcileRequest, runAccepted, ServiceError } from '@billing/domain';
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
    'Runs in the worker, within the budget of Stripe reads; also every night by itself, then over the last 30 days. While the queue is away the run waits in the database.',
  access: { admin: 'operator', limitedBy: 'body' },
  body: { schema: reconcileRequest, example: { dry_run: true, since: '2026-08-01T00:00:00Z' } },
  answers: [{ status: 202, description: 'Started.', schema: runAccepted, example: { run_id: 'run_5b1e' } }],
  errors: ['project_not_found'],
  handle: async (deps, { body: { dry_run: dryRun, project_id: projectId = null, since }, actor }) => {
    if (since !== undefined && since > deps.clock()) throw isInFuture();
    const { runId } = await requestReconcile(deps.database, { dryRun, projectId, since }, actor);
    await announceRun(deps, 'reconcile', runId);
    return { body: { run_id: runId } };
  },
});

const isInFuture = (): ServiceError =>
  new ServiceError('invalid_request', 'Give a moment in the past as since, or none for the last 30 days.', {
    errors: [{ path: 'since', message: 'must not lie in the future' }],
  });
