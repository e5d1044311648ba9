import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { stripeEvent, subscriptionObject, waitFor } from '@billing/testing';
import { startProcesses } from './processes.test-support.ts';
import type { Processes } from './processes.test-support.ts';

type Attribute = { key: string; value: { stringValue?: string; intValue?: number } };
type Span = {
  service: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  attributes: Attribute[];
};
type Payload = {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: { spans: Omit<Span, 'service'>[] }[];
  }[];
};

type Receiver = { spans: Span[]; url: string; close: () => void };

/** An OTLP/HTTP receiver that keeps the spans it receives. */
async function startReceiver(): Promise<Receiver> {
  const spans: Span[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const payload: Payload = JSON.parse(Buffer.concat(chunks).toString());
      for (const { resource, scopeSpans } of payload.resourceSpans) {
        const service = valueOf(resource.attributes, 'service.name') ?? 'unknown';
        for (const scope of scopeSpans) spans.push(...scope.spans.map((span) => ({ ...span, service })));
      }
      response.end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { spans, url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

const valueOf = (attributes: readonly Attribute[], key: string): string | undefined =>
  attributes.find((one) => one.key === key)?.value.stringValue;

const secret = { webhook: `whsec_${randomBytes(16).toString('hex')}`, email: 'traced@example.com' };

describe('with OTEL_EXPORTER_OTLP_ENDPOINT', () => {
  let receiver: Receiver;
  let processes: Processes;
  beforeAll(async () => {
    receiver = await startReceiver();
    processes = await startProcesses({
      env: {
        NODE_ENV: 'production',
        STRIPE_SECRET_KEY: 'sk_test_of_the_trace',
        STRIPE_WEBHOOK_SECRET: secret.webhook,
        ADMIN_API_KEY: `local:${randomBytes(16).toString('hex')}`,
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      },
    });
  }, 240_000);
  afterAll(async () => {
    await processes?.close();
    receiver?.close();
  });

  const traceId = 'ab'.repeat(16);
  const ofTrace = (): Span[] => receiver.spans.filter((span) => span.traceId === traceId);
  const named = (pattern: RegExp, service: string): Span | undefined =>
    ofTrace().find((span) => span.service === service && pattern.test(span.name));

  it('a webhook is one trace, from the request through the queue to Postgres', async () => {
    await processes.asAdmin('/projects', { project_id: 'shop', name: 'Shop' });
    const object = { ...subscriptionObject({ id: 'sub_traced' }), receipt_email: secret.email };
    const event = stripeEvent({ type: 'customer.subscription.created', object });
    const answer = await processes.deliver(JSON.stringify(event), {
      traceparent: `00-${traceId}-${'cd'.repeat(8)}-01`,
    });
    expect(answer.status).toBe(200);
    const statement = /db_query/;
    await waitFor(() => named(statement, 'billing-worker') !== undefined, {
      what: 'the spans of the statements',
      timeoutMs: 20_000,
    });
    await waitFor(() => named(/POST/, 'billing-api') !== undefined, { what: 'the request' });
    await waitFor(() => named(/process/, 'billing-worker') !== undefined, { what: 'the job' });
    expect(named(/POST/, 'billing-api')).toMatchObject({
      name: 'POST /api/v1/webhooks/stripe',
      parentSpanId: 'cd'.repeat(8),
    });
    expect(named(/add/, 'billing-api')?.parentSpanId).toBe(named(/POST/, 'billing-api')?.spanId);
    // From parent to parent, each span of the worker leads to the request.
    const parents = new Map(ofTrace().map((span) => [span.spanId, span.parentSpanId]));
    let at = named(statement, 'billing-worker')?.spanId;
    while (at !== undefined && parents.has(at) && parents.get(at) !== 'cd'.repeat(8)) at = parents.get(at);
    expect(at).toBe(named(/POST/, 'billing-api')?.spanId);
    const listed = await processes.ask(`/api/v1/admin/events?trace_id=${traceId}`, {
      headers: processes.adminHeaders,
    });
    expect(await listed.json()).toMatchObject({ data: [{ event_id: event.id, trace_id: traceId }] });
  }, 60_000);

  it('the loops of the processes make no traces, and no span holds a secret or an id of a user', async () => {
    await processes.ask('/api/v1/entitlements?user_id=user-of-the-trace', {
      headers: { authorization: 'Bearer key-of-the-trace' },
    });
    await waitFor(() => receiver.spans.some((span) => span.name === 'GET /api/v1/entitlements'), {
      what: 'the check',
      timeoutMs: 10_000,
    });
    const roots = receiver.spans.filter(
      (span) => span.parentSpanId === undefined || span.parentSpanId === '',
    );
    expect(roots.map((span) => span.name).filter((name) => name.startsWith('prisma:'))).toEqual([]);
    expect(JSON.stringify(receiver.spans)).not.toMatch(
      /whsec_|sk_test_|of-the-trace|traced@example\.com|v1=[0-9a-f]{8}/,
    );
  }, 30_000);
});
