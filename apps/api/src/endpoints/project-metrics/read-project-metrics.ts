import { projectMetricsResponse } from '@billing/domain';
import { readProjectMetrics as readMetrics } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';

export const readProjectMetrics = defineEndpoint({
  method: 'get',
  path: '/api/v1/metrics/project/{project_id}',
  operationId: 'readProjectMetrics',
  tag: 'Metrics',
  summary: 'Subscriptions and revenue of the project',
  description: 'A yearly price counts a twelfth, a trial nothing.',
  access: { project: 'read' },
  answers: [
    {
      status: 200,
      description: 'The numbers as of now.',
      schema: projectMetricsResponse,
      example: {
        project_id: 'shop',
        active_subscriptions: 40,
        trialing_subscriptions: 2,
        total_subscriptions: 57,
        estimated_mrr_cents: 40_000,
        estimated_mrr_dollars: 400,
      },
    },
  ],
  errors: [],
  handle: async ({ database }, { project: { projectId } }) => {
    const metrics = await readMetrics(database, projectId);
    return {
      body: {
        project_id: projectId,
        active_subscriptions: metrics.active,
        trialing_subscriptions: metrics.trialing,
        total_subscriptions: metrics.total,
        estimated_mrr_cents: metrics.monthlyCents,
        estimated_mrr_dollars: metrics.monthlyCents / 100,
      },
    };
  },
});
