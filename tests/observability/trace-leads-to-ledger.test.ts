import { randomBytes } from 'node:crypto';
import { stripeEvent, subscriptionObject, waitFor } from '@billing/testing';
import { startProcesses } from './processes.test-support.ts';
import type { Processes } from './processes.test-support.ts';

type Line = { event: string; trace_id?: string; request_id?: string; route?: string; code?: string };

/** The lines of a process's log as objects. */
const linesOf = (output: string): Line[] =>
  output.split('\n').flatMap((line): Line[] => (line.startsWith('{') ? [JSON.parse(line)] : []));

const newTrace = () => {
  const traceId = randomBytes(16).toString('hex');
  return {
    traceId,
    header: (flags: string) => ({ traceparent: `00-${traceId}-${'cd'.repeat(8)}-${flags}` }),
  };
};

const metricsToken = randomBytes(16).toString('hex');

describe('without OTLP, a sampled traceparent', () => {
  let processes: Processes;
  let apiKey: string;
  beforeAll(async () => {
    processes = await startProcesses({
      env: {
        NODE_ENV: 'production',
        LOG_LEVEL: 'debug',
        ACCESS_LOG_SAMPLE: '1',
        METRICS_TOKEN: metricsToken,
        STRIPE_SECRET_KEY: 'sk_test_of_the_trace',
        STRIPE_WEBHOOK_SECRET: `whsec_${randomBytes(16).toString('hex')}`,
        ADMIN_API_KEY: `local:${randomBytes(16).toString('hex')}`,
      },
    });
    await processes.asAdmin('/projects', { project_id: 'shop', name: 'Shop' });
    const made = await processes.asAdmin('/projects/shop/api-keys', { name: 'mine' });
    ({ api_key: apiKey } = JSON.parse(await made.text()));
  }, 240_000);
  afterAll(() => processes?.close());

  const listEvents = async (query: string): Promise<{ event_id: string; trace_id: string | null }[]> => {
    const answer = await processes.ask(`/api/v1/admin/events?${query}`, { headers: processes.adminHeaders });
    expect(answer.status).toBe(200);
    return JSON.parse(await answer.text()).data;
  };

  async function deliver(headers: Record<string, string>): Promise<string> {
    const event = stripeEvent({ type: 'customer.subscription.created', object: subscriptionObject() });
    expect((await processes.deliver(JSON.stringify(event), headers)).status).toBe(200);
    await waitFor(async () => (await listEvents('')).some((one) => one.event_id === event.id), {
      what: 'the ledger row',
      timeoutMs: 20_000,
    });
    return event.id;
  }

  it('one id leads from the log lines of API and worker to the ledger row and to the exemplars', async () => {
    const { traceId, header } = newTrace();
    const eventId = await deliver(header('01'));
    await deliver({});
    expect(await listEvents(`trace_id=${traceId}`)).toEqual([
      expect.objectContaining({ event_id: eventId, trace_id: traceId }),
    ]);
    await waitFor(() => linesOf(processes.worker.output()).some((line) => line.trace_id === traceId), {
      what: "the worker's line",
      timeoutMs: 10_000,
    });
    const accepted = linesOf(processes.api.output()).filter((line) => line.trace_id === traceId);
    expect(accepted).toContainEqual(expect.objectContaining({ route: '/api/v1/webhooks/stripe' }));
    for (const url of [processes.urls.api, processes.urls.worker]) {
      const headers = { authorization: `Bearer ${metricsToken}` };
      const plain = await (await fetch(`${url}/metrics`, { headers })).text();
      expect(plain).not.toContain(traceId);
      const accept = 'application/openmetrics-text; version=1.0.0';
      const asked = await fetch(`${url}/metrics`, { headers: { ...headers, accept } });
      expect(asked.headers.get('content-type')).toMatch(/^application\/openmetrics-text; version=1\.0\.0/);
      expect(await asked.text()).toMatch(new RegExp(`_bucket\\{[^}]*\\} \\d+ # \\{trace_id="${traceId}"\\}`));
    }
  }, 60_000);

  it('is in every line of its request: checks, refusals and what an administrator does', async () => {
    const { traceId, header } = newTrace();
    const withKey = { authorization: `Bearer ${apiKey}`, ...header('01') };
    const asked = [
      ['/api/v1/entitlements?user_id=u', withKey],
      ['/api/v1/entitlements?user_id=u&explain=true', withKey],
      ['/api/v1/entitlements?user_id=u', { authorization: 'Bearer wrong', ...header('01') }],
      ['/api/v1/admin/projects', { ...processes.adminHeaders, ...header('01') }],
      ['/nowhere', header('01')],
    ] as const;
    for (const [path, headers] of asked) {
      const requestId = randomBytes(8).toString('hex');
      await processes.ask(path, { headers: { ...headers, 'x-request-id': requestId } });
      const ownLines = (): Line[] =>
        linesOf(processes.api.output()).filter((line) => line.request_id === requestId);
      await waitFor(() => ownLines().length > 0, { what: `a line of ${path}`, timeoutMs: 5_000 });
      expect([path, ownLines().map((line) => line.trace_id)]).toEqual([path, ownLines().map(() => traceId)]);
    }
    const refused = await processes.deliver('{}', { 'stripe-signature': 't=1,v1=00', ...header('01') });
    expect(refused.status).toBe(401);
    await waitFor(
      () =>
        linesOf(processes.api.output()).some(
          (line) => line.event === 'auth_failed' && line.trace_id === traceId && line.request_id !== '',
        ),
      { what: 'the refused signature', timeoutMs: 5_000 },
    );
  }, 60_000);

  it('one that is not sampled, or not valid, is no trace', async () => {
    const { traceId, header } = newTrace();
    await deliver(header('00'));
    await deliver({ traceparent: `00-${traceId}-${'0'.repeat(16)}-01` });
    expect(await listEvents(`trace_id=${traceId}`)).toEqual([]);
    expect(processes.api.output()).not.toContain(traceId);
  }, 60_000);
});
