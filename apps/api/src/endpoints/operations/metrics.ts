import { defineEndpoint } from '../../http/define-endpoint.ts';

export const metrics = defineEndpoint({
  method: 'get',
  path: '/metrics',
  operationId: 'getMetrics',
  tag: 'Operations',
  summary: 'Metrics for Prometheus',
  access: 'metrics',
  answers: [{ status: 200, description: "Prometheus' text format.", contentType: 'text/plain' }],
  errors: [],
  handle: async ({ metrics: { registry }, queueGauges, renderMetrics }) => {
    await queueGauges.refresh();
    const text = await renderMetrics().finally(() => queueGauges.reset());
    return { text, headers: { 'content-type': registry.contentType } };
  },
});
