import type { Complaints } from '../testing/schema-check.test-support.ts';
import { startTestApi } from '../testing/start-test-api.test-support.ts';
import type { Endpoint } from '../http/define-endpoint.ts';
import { endpoints } from '../app.ts';
import { toRefusal } from './refusals.ts';
import { callEndpoint, check, sendCall } from './testing/call-endpoint.test-support.ts';
import type { Call } from './testing/call-endpoint.test-support.ts';
import { startSeededApi } from './testing/start-seeded-api.test-support.ts';
import type { SeededApi } from './testing/start-seeded-api.test-support.ts';

let seeded: SeededApi;
beforeAll(async () => {
  seeded = await startSeededApi();
});
afterAll(() => seeded.close());

function endpointOf(operationId: string): Endpoint {
  const endpoint = endpoints.find((each) => each.operationId === operationId);
  if (endpoint === undefined) throw new Error(`no operation ${operationId}`);
  return endpoint;
}

/** The code of the refusal, and what does not fit its description. */
async function refusalOf(endpoint: Endpoint, call: Call = {}): Promise<[unknown, Complaints]> {
  const { body, complaints } = await callEndpoint(seeded, endpoint, call);
  return [(body as { code?: unknown }).code, complaints];
}

const closed = endpoints
  .filter(({ access }) => access !== 'open' && access !== 'sign-in')
  .map((endpoint) => [endpoint.operationId, endpoint] as const);

test.each(closed)('%s refuses a caller without credentials as described', async (_operationId, endpoint) => {
  const call = { body: endpoint.body?.example };
  const [unsaid, unknown] =
    endpoint.access === 'stripe'
      ? ['invalid_signature', 'invalid_signature']
      : ['missing_api_key', 'invalid_api_key'];
  expect(await refusalOf(endpoint, { ...call, credentials: 'none' })).toEqual([unsaid, []]);
  expect(await refusalOf(endpoint, { ...call, credentials: 'wrong' })).toEqual([unknown, []]);
});

test('a wrong name, and a page of another site, do not sign in', async () => {
  const endpoint = endpointOf('createConsoleSession');
  expect(await refusalOf(endpoint, { body: endpoint.body?.example })).toEqual(['invalid_api_key', []]);
  const headers = { origin: 'https://evil.example' };
  for (const operationId of ['createConsoleSession', 'deleteConsoleSession']) {
    const asked = endpointOf(operationId);
    expect(await refusalOf(asked, { headers, body: asked.body?.example })).toEqual([
      'origin_not_allowed',
      [],
    ]);
  }
});

describe('a wrong method', () => {
  const methods = ['delete', 'patch', 'post', 'get'] as const;

  test.each([...new Set(endpoints.map(({ path }) => path))])('of %s', async (path) => {
    const here = endpoints.filter((endpoint) => endpoint.path === path);
    const [endpoint] = here;
    const method = methods.find((each) => here.every((one) => one.method !== each));
    if (endpoint === undefined || method === undefined) throw new Error(`every method is right for ${path}`);
    const answer = await sendCall(
      seeded,
      { ...endpoint, method },
      { body: method === 'get' ? undefined : {} },
    );
    expect([answer.shown, answer.status]).toEqual([answer.shown, 405]);
    expect(check.refusal(toRefusal(['method_not_allowed']), answer)).toEqual([]);
    const allowed = String(answer.headers['allow']).split(', ');
    for (const one of here) expect(allowed).toContain(one.method.toUpperCase());
    expect(allowed).not.toContain(method.toUpperCase());
  });
});

test('an unknown address', async () => {
  const answer = await sendCall(seeded, { ...endpointOf('getStatus'), path: '/nowhere' }, {});
  expect(check.refusal(toRefusal(['route_not_found']), answer)).toEqual([]);
  expect(answer.body).toMatchObject({ code: 'route_not_found' });
});

test('too many requests', async () => {
  const limited = await startTestApi({ env: { RATE_LIMIT_PER_SECOND: '1' } });
  try {
    const { apiKey } = await limited.createProject();
    const call = { query: { user_id: 'u' } };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        sendCall({ api: limited, apiKey }, endpointOf('checkEntitlements'), call),
      ),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).not.toEqual([]);
    for (const answer of refused) expect(check.answer('checkEntitlements', answer)).toEqual([]);
  } finally {
    await limited.close();
  }
});

test.each(['checkEntitlements', 'listProjects', 'startReconcile', 'replayEvents'])(
  '%s without Postgres',
  async (operationId) => {
    const call = operationId === 'checkEntitlements' ? { query: { user_id: 'never asked for' } } : {};
    const refused = await seeded.withoutPostgres(() => refusalOf(endpointOf(operationId), call));
    expect(refused).toEqual(['service_unavailable', []]);
  },
);

test('without the queue a webhook is refused, and a run is not: it waits in Postgres', async () => {
  seeded.api.redis.pause();
  try {
    const webhook = endpointOf('receiveStripeWebhook');
    const refused = await refusalOf(webhook, { body: webhook.body?.example });
    expect(refused).toEqual(['queue_unavailable', []]);
    for (const operationId of ['startReconcile', 'replayEvents']) {
      const { status, complaints } = await callEndpoint(seeded, endpointOf(operationId), {});
      expect([status, complaints]).toEqual([202, []]);
    }
  } finally {
    seeded.api.redis.resume();
  }
});

describe('the check itself', () => {
  const right = {
    status: 401,
    headers: {
      'content-type': 'application/problem+json; charset=utf-8',
      'x-request-id': 'a',
      'www-authenticate': 'Bearer',
    },
    body: {
      type: 'urn:billing:problem:missing_api_key',
      title: 'No API key was sent',
      status: 401,
      detail: 'Send one.',
      code: 'missing_api_key',
      request_id: 'a',
    },
  };
  const unavailable = {
    ...right,
    status: 503,
    headers: { ...right.headers, 'retry-after': '1' },
    body: { ...right.body, code: 'service_unavailable' },
  };
  const without = (name: string) =>
    Object.fromEntries(Object.entries(right.headers).filter(([each]) => each !== name));

  test.each([
    ['nothing', right, 0],
    ['nothing of a 503', unavailable, 0],
    ['no request id', { ...right, headers: without('x-request-id') }, 1],
    ['no scheme', { ...right, headers: without('www-authenticate') }, 1],
    ['another scheme', { ...right, headers: { ...right.headers, 'www-authenticate': 'Digest' } }, 1],
    ['another type', { ...right, headers: { ...right.headers, 'content-type': 'application/json' } }, 1],
    ['no type', { ...right, headers: without('content-type') }, 1],
    ['no Retry-After', { ...unavailable, headers: right.headers }, 1],
    ['a date as Retry-After', { ...unavailable, headers: { ...right.headers, 'retry-after': 'Mon' } }, 1],
    ['a code of another call', { ...right, body: { ...right.body, code: 'invalid_signature' } }, 1],
    ['a status that is not described', { ...right, status: 418 }, 1],
    ['a field that is not described', { ...right, body: { ...right.body, more: 1 } }, 1],
  ])('complains about %s', (_what, answer, complaints) => {
    expect(check.answer('listProjects', answer)).toHaveLength(complaints);
  });
});
