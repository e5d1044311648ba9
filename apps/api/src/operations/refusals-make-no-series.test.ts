import { request as httpRequest } from 'node:http';
import { once } from 'node:events';
import { createAuthFailures, createLogger, createMetrics, createOperationsServer } from '@billing/platform';
import * as fc from 'fast-check';
import { endpoints } from '../app.ts';
import { startTestApi } from '../testing/start-test-api.test-support.ts';
import type { TestApi } from '../testing/start-test-api.test-support.ts';

/** How many requests; `FUZZ_REQUESTS=10000` for a long run, `FUZZ_SEED` for the same again. */
const requests = Number(process.env['FUZZ_REQUESTS'] ?? 400);
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);

type Sent = { method: string; path: string; headers: Record<string, string>; body: string };

// All that Node sends, as far as an answer to it can be read.
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'].concat([
  'PROPFIND',
  'MKCOL',
  'LOCK',
  'PURGE',
  'REPORT',
  'SEARCH',
  'COPY',
  'MOVE',
  'LINK',
  'QUERY',
]);

const word = fc.stringMatching(/^[A-Za-z0-9._~%-]{1,12}$/);

/** Requests of a caller without a login. */
function strangersRequest(paths: readonly string[]): fc.Arbitrary<Sent> {
  const known = fc
    .tuple(fc.constantFrom(...paths), word)
    .map(([path, id]) => path.replaceAll(/\{\w+\}/g, () => id));
  const path = fc.oneof(
    { weight: 4, arbitrary: known },
    { weight: 1, arbitrary: fc.tuple(known, word).map(([start, more]) => `${start}/${more}`) },
    { weight: 1, arbitrary: fc.tuple(known, word).map(([start, more]) => `${start}?${more}=1`) },
    { weight: 1, arbitrary: fc.array(word, { maxLength: 4 }).map((words) => `/${words.join('/')}`) },
  );
  const key = fc.oneof(
    word.map((token) => `Bearer ${token}`),
    word.map((token) => `Bearer proj_${token}`),
    word.map((login) => `Basic ${Buffer.from(`tester:${login}`).toString('base64')}`),
    word,
  );
  const signature = fc.nat().map((at) => `t=${at},v1=${'0'.repeat(64)}`);
  const headers = fc.record(
    { authorization: key, 'stripe-signature': signature, 'content-type': word, 'content-encoding': word },
    { requiredKeys: [] },
  );
  return fc.record({ method: fc.constantFrom(...methods), path, headers, body: fc.string() });
}

async function send(url: string, { method, path, headers, body }: Sent): Promise<number> {
  const hasBody = !['GET', 'HEAD', 'OPTIONS', 'TRACE'].includes(method);
  // Node sends a body of DELETE without its length.
  const length = hasBody ? { 'content-length': Buffer.byteLength(body) } : {};
  const sent = httpRequest(new URL(url), { method, path, headers: { ...headers, ...length }, agent: false });
  sent.end(hasBody ? body : undefined);
  const [response] = await once(sent, 'response');
  response.resume();
  await once(response, 'close');
  return response.statusCode;
}

async function seriesOf(url: string): Promise<string[]> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return text.split('\n').flatMap((line) => /^(\w+(?:\{[^}]*\})?) /.exec(line)?.[1] ?? []);
}

/** How often each status was answered. */
async function flood(url: string, paths: readonly string[]): Promise<Map<number, number>> {
  const met = new Map<number, number>();
  const drawn = fc.sample(strangersRequest(paths), { numRuns: requests, seed });
  for (let start = 0; start < drawn.length; start += 20) {
    const statuses = await Promise.all(drawn.slice(start, start + 20).map((one) => send(url, one)));
    for (const status of statuses) met.set(status, (met.get(status) ?? 0) + 1);
  }
  return met;
}

const isTimedRefusal = (name: string): boolean =>
  name.startsWith('http_request_duration_seconds') &&
  /status_code="(?:401|405)"|route="unmatched"/.test(name);

const timeoutMs = 60_000 + requests * 50;

describe('requests without a login', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi({ env: { AUTH_FAILURES_PER_MINUTE: '30' } });
  });
  afterAll(() => api.close());

  test(
    'to the API make no series, and refusals before a handler have no histogram',
    async () => {
      const paths = [...new Set(endpoints.map(({ path }) => path))];
      // The first unknown key is looked for in Postgres.
      const unknown = { authorization: 'Bearer proj_unknown' };
      await send(api.url, {
        method: 'GET',
        path: '/api/v1/entitlements?user_id=u',
        headers: unknown,
        body: '',
      });
      const before = await seriesOf(api.url);
      const met = await flood(api.url, paths);
      const after = await seriesOf(api.url);
      expect({ seed, more: after.filter((name) => !before.includes(name)) }).toEqual({ seed, more: [] });
      expect(after).toHaveLength(before.length);
      expect(after.filter(isTimedRefusal)).toEqual([]);
      for (const status of [200, 401, 404, 405, 429]) expect([...met.keys()]).toContain(status);
    },
    timeoutMs,
  );

  test('are counted, each with its method and status', async () => {
    const countOf = async (labels: string): Promise<number> => {
      const text = (await api.http().get('/metrics')).text;
      const line = text.split('\n').find((one) => one.startsWith(`http_requests_total{${labels}} `));
      return Number(line?.split(' ').at(-1));
    };
    const rows = [
      ['PUT', '/healthz', 'method="PUT",route="/healthz",status_code="405"'],
      ['PROPFIND', '/healthz', 'method="OTHER",route="/healthz",status_code="405"'],
      ['DELETE', '/nowhere', 'method="DELETE",route="unmatched",status_code="404"'],
      [
        'GET',
        '/api/v1/entitlements?user_id=u',
        'method="GET",route="/api/v1/entitlements",status_code="401"',
      ],
    ] as const;
    for (const [method, path, labels] of rows) {
      const before = await countOf(labels);
      await send(api.url, { method, path, headers: {}, body: '' });
      expect([labels, await countOf(labels)]).toEqual([labels, before + 1]);
    }
  });
});

test(
  'requests to the worker make no series either',
  async () => {
    const metrics = createMetrics({ service: 'worker', withProcessMetrics: false });
    const logger = createLogger({ service: 'worker', level: 'error', format: 'json' });
    const server = await createOperationsServer({
      port: 0,
      host: '127.0.0.1',
      ready: async () => ({ status: 200, body: { status: 'ready', checks: { database: 'ok' } } }),
      metrics,
      authFailures: createAuthFailures({ perMinute: 30, metrics, logger, areas: ['metrics'] }),
    });
    const url = `http://127.0.0.1:${server.port}`;
    try {
      const before = await seriesOf(url);
      const met = await flood(url, ['/healthz', '/live', '/ready', '/metrics']);
      const after = await seriesOf(url);
      expect({ seed, after }).toEqual({ seed, after: before });
      expect(after.filter(isTimedRefusal)).toEqual([]);
      for (const status of [200, 404, 405]) expect([...met.keys()]).toContain(status);
    } finally {
      await server.close();
    }
  },
  timeoutMs,
);
