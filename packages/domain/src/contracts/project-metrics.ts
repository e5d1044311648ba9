import { z } from 'zod';

export const projectMetricsResponse = z
  .object({
    project_id: z.string(),
    active_subscriptions: z.number().int(),
    trialing_subscriptions: z.number().int(),
    total_subscriptions: z.number().int(),
    estimated_mrr_cents: z.number().int(),
    estimated_mrr_dollars: z.number(),
  })
  .meta({ id: 'ProjectMetrics' });
export type ProjectMetricsResponse = z.output<typeof projectMetricsResponse>;
