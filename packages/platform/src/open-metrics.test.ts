import { createMetrics } from './metrics.ts';
import { renderMetrics } from './open-metrics.ts';
import { createRequestMeter } from './request-meter.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const accept = 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4';

async function scrape(asked: string | undefined) {
  const metrics = createMetrics({ service: 'api', withProcessMetrics: false });
  const meter = createRequestMeter(metrics, [{ route: '/a', methods: ['GET'], openStatuses: [200] }]);
  const answered = { method: 'GET', route: '/a', statusCode: 200, startedAt: performance.now() };
  meter({ ...answered, traceId });
  meter(answered);
  for (const value of [42, 7_200]) {
    metrics.webhookProcessing.observe(value);
    metrics.exemplars.note('webhook_processing_seconds', { value, traceId });
  }
  const text = await metrics.registry.metrics();
  const first = renderMetrics(metrics, { accept: asked, text });
  // A second scrape reads the same: nothing was renamed by the first.
  expect(await metrics.registry.metrics()).toBe(text);
  return first;
}

test('OpenMetrics, when asked, has the traces of what was observed', async () => {
  const { contentType, text } = await scrape(accept);
  expect(contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  expect(text).toMatch(
    new RegExp(
      `^http_request_duration_seconds_bucket\\{le="[\\d.]+",method="GET",route="/a",status_code="200"\\} [12] # \\{trace_id="${traceId}"\\} [\\d.e-]+ \\d+`,
      'm',
    ),
  );
  expect(text).toMatch(
    new RegExp(
      `^webhook_processing_seconds_bucket\\{le="60"\\} 1 # \\{trace_id="${traceId}"\\} 42 \\d+`,
      'm',
    ),
  );
  expect(text).toMatch(/^webhook_processing_seconds_bucket\{le="\+Inf"\} 2 # .* 7200 /m);
  expect(text).toContain('# TYPE http_requests counter\n');
  expect(text).toContain('http_requests_total{method="GET",route="/a",status_code="200"} 2\n');
  expect(text).not.toContain('\n\n');
  expect(text).toMatch(/\n# EOF\n$/);
  expect(text.match(/ # \{/g)).toHaveLength(3);
});

test.each([undefined, '*/*', 'text/plain', 'application/openmetrics-text;q=0, text/plain'])(
  'Accept: %s is answered with text that has none',
  async (asked) => {
    const { contentType, text } = await scrape(asked);
    expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(text).not.toContain(traceId);
    expect(text).toContain('# TYPE http_requests_total counter\n');
  },
);
