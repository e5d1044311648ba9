import { renderMetrics as render } from '@billing/platform';
import { defineEndpoint } from '../../http/define-endpoint.ts';

export const metrics = defineEndpoint({
  method: 'get',
  path: '/metrics',
  operationId: 'getMetrics',
  tag: 'Operations',
  summary: 'Metrics for Prometheus',
  description:
    'With `Accept: application/openmetrics-text` in OpenMetrics, where traced requests are exemplars.',
  access: 'metrics',
  answers: [{ status: 200, description: "Prometheus' text format.", contentType: 'text/plain' }],
  errors: [],
  handle: async ({ metrics: measured, queueGauges, renderMetrics }, { header }) => {
    await queueGauges.refresh();
    const text = await renderMetrics().finally(() => queueGauges.reset());
    const rendered = render(measured, { accept: header('accept'), text });
    return { text: rendered.text, headers: { 'content-type': rendered.contentType } };
  },
});
