import { projectMetricsResponse, smallestUnitsOf } from '@billing/domain';
import { readProjectMetrics as readMetrics } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';

export const readProjectMetrics = defineEndpoint({
  method: 'get',
  path: '/api/v1/metrics/project/{project_id}',
  operationId: 'readProjectMetrics',
  tag: 'Metrics',
  summary: 'Subscriptions and revenue of the project',
  description:
    'Monthly recurring revenue counts what is active, or past due within its grace, by the true intervals of its prices ' +
    '(a year is twelve months, 52 weeks or 365 days), less coupons that last. Trials, subscriptions paused with `void`, ' +
    'metered and tiered parts count nothing.',
  access: { project: 'read' },
  readsReplica: true,
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
        mrr: [
          { currency: 'jpy', amount: 3000 },
          { currency: 'usd', amount: 40_000 },
        ],
        estimated_mrr_cents: 40_000,
        estimated_mrr_dollars: 400,
      },
    },
  ],
  errors: [],
  handle: async ({ database, reader, clock, config }, { project: { projectId } }) => {
    const { pastDueGraceDays } = config;
    const metrics = await readMetrics(database, { projectId, now: clock(), pastDueGraceDays, reader });
    const { active, trialing, total, mrr, main } = metrics;
    return {
      body: {
        project_id: projectId,
        active_subscriptions: active,
        trialing_subscriptions: trialing,
        total_subscriptions: total,
        mrr,
        estimated_mrr_cents: main?.amount ?? 0,
        estimated_mrr_dollars: main === null ? 0 : main.amount / smallestUnitsOf(main.currency),
      },
    };
  },
});
