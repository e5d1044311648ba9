import { answer, entitlement } from './answers.test-support.ts';
import {
  apiKey,
  cutOff,
  cutShort,
  dribble,
  hang,
  html,
  json,
  limitFor,
  problem,
  startScriptedService,
} from './scripted-service.test-support.ts';
import type { ScriptedService } from './scripted-service.test-support.ts';

let service: ScriptedService;
beforeEach(async () => {
  service = await startScriptedService();
});
afterEach(() => service.stop());

describe('entitlements', () => {
  test('asks for one user with the key, and returns the answer as it came', async () => {
    service.script(json(answer()));
    await expect(service.client().entitlements('user_1')).resolves.toEqual(answer());
    const [seen] = service.seen;
    expect(seen?.method).toBe('GET');
    expect(seen?.url.pathname).toBe('/api/v1/entitlements');
    expect([...(seen?.url.searchParams ?? [])]).toEqual([['user_id', 'user_1']]);
    expect(seen?.headers.authorization).toBe(`Bearer ${apiKey}`);
  });

  test('sends the feature and the request for an explanation', async () => {
    service.script(json(answer({ explanation: [] })));
    await service.client().entitlements('user_1', { featureCode: 'a&b=c', explain: true });
    expect([...(service.seen[0]?.url.searchParams ?? [])]).toEqual([
      ['user_id', 'user_1'],
      ['feature_code', 'a&b=c'],
      ['explain', 'true'],
    ]);
  });

  test.each(['user 1', 'a+b&project_id=other', 'ü/../é', '100%', '__proto__', '🙂#?'])(
    'sends the id %p unchanged',
    async (userId) => {
      service.script(json(answer({ user_id: userId })));
      await service.client().entitlements(userId);
      expect(service.seen[0]?.url.searchParams.getAll('user_id')).toEqual([userId]);
      expect(service.seen[0]?.url.searchParams.has('project_id')).toBe(false);
    },
  );

  test('keeps a path prefix of baseUrl', async () => {
    service.script(json(answer()));
    await service.client({ baseUrl: `${service.url}/billing/` }).entitlements('user_1');
    expect(service.seen[0]?.url.pathname).toBe('/billing/api/v1/entitlements');
  });
});

describe('can', () => {
  test.each([
    { entitlements: [entitlement()], expected: true },
    { entitlements: [], expected: false },
    { entitlements: [entitlement({ feature_code: 'premium_export_2' })], expected: false },
  ])('$expected', async ({ entitlements, expected }) => {
    service.script(json(answer({ entitlements })));
    await expect(service.client().can('user_1', 'premium_export')).resolves.toBe(expected);
    expect(service.seen[0]?.url.searchParams.get('feature_code')).toBe('premium_export');
  });
});

describe('batch', () => {
  const results = [answer({ user_id: 'b' }), answer({ user_id: 'a' }), answer({ user_id: 'b' })];

  test('asks for all at once and keeps the order', async () => {
    service.script(json({ project_id: 'test-project', results }));
    const batch = await service.client().batch(['b', 'a', 'b']);
    expect(batch).toEqual({ project_id: 'test-project', results });
    expect(service.seen[0]?.method).toBe('POST');
    expect(service.seen[0]?.url.pathname).toBe('/api/v1/entitlements/batch');
    expect(JSON.parse(service.seen[0]?.body ?? '')).toEqual({ user_ids: ['b', 'a', 'b'] });
  });

  test.each([[['b', 'a']], [['a', 'b', 'b']]])('an answer for others than %p is refused', async (userIds) => {
    service.script(json({ project_id: 'test-project', results }));
    await expect(service.client().batch(userIds)).rejects.toMatchObject({ code: 'invalid_response' });
  });

  test('is tried again', async () => {
    service.script(problem(503, 'service_unavailable'), json({ project_id: 'p', results: [answer()] }));
    await expect(service.client().batch(['user_1'])).resolves.toMatchObject({ project_id: 'p' });
    expect(service.seen).toHaveLength(2);
  });
});

describe('invalid ids', () => {
  test.each([undefined, null, '', 7, ['user_1']])('%p is refused before anything is sent', async (wrong) => {
    const client = service.client({ onUnavailable: 'allow' });
    const userId = wrong as string;
    const refusal = { name: 'BillingError', code: 'invalid_request', status: null };
    await expect(client.entitlements(userId)).rejects.toMatchObject(refusal);
    await expect(client.can(userId, 'premium_export')).rejects.toMatchObject(refusal);
    await expect(client.can('user_1', userId)).rejects.toMatchObject(refusal);
    await expect(client.batch(['user_1', userId])).rejects.toMatchObject(refusal);
    expect(service.seen).toHaveLength(0);
  });

  test('a refusal that was not sent names its fields as the service does', async () => {
    const message = 'must be a string that is not empty';
    const client = service.client();
    await expect(client.batch(['a', '', 'b', ''])).rejects.toMatchObject({
      errors: [
        { path: 'user_ids.1', message },
        { path: 'user_ids.3', message },
      ],
    });
    await expect(client.batch(['a', '', 'b'])).rejects.toThrow('user_ids.1 must be a string');
    await expect(client.entitlements('')).rejects.toMatchObject({ errors: [{ path: 'user_id', message }] });
    await expect(client.entitlements('u', { featureCode: '' })).rejects.toMatchObject({
      errors: [{ path: 'feature_code', message }],
    });
    await expect(client.can('', '')).rejects.toMatchObject({
      errors: [
        { path: 'user_id', message },
        { path: 'feature_code', message },
      ],
    });
  });
});

describe('transient failures are tried again', () => {
  test.each([
    { name: 'a closed connection', step: cutOff },
    { name: 'half an answer', step: cutShort },
    { name: 'silence', step: hang },
    { name: 'an answer that never ends', step: dribble },
    { name: '429', step: problem(429, 'rate_limited', { 'retry-after': '0' }) },
    { name: '502 of a proxy', step: html(502) },
    { name: '503', step: problem(503, 'service_unavailable') },
    { name: '504 of a proxy', step: html(504) },
  ])('$name', async ({ step }) => {
    service.script(step, step, json(answer()));
    await expect(service.client(limitFor(step)).entitlements('user_1')).resolves.toEqual(answer());
    expect(service.seen).toHaveLength(3);
  });

  test.each([
    { retries: 0, requests: 1 },
    { retries: 1, requests: 2 },
    { retries: 3, requests: 4 },
  ])('$retries times, then the last error is thrown', async ({ retries, requests }) => {
    service.script(problem(503, 'service_unavailable'));
    const failed = service.client({ retries }).entitlements('user_1');
    await expect(failed).rejects.toMatchObject({ code: 'service_unavailable', retryable: true });
    expect(service.seen).toHaveLength(requests);
  });

  test('but not when the service asks for an hour', async () => {
    service.script(problem(429, 'rate_limited', { 'retry-after': '3600' }), json(answer()));
    const failed = service.client().entitlements('user_1');
    await expect(failed).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 3_600_000 });
    expect(service.seen).toHaveLength(1);
  });
});

describe('permanent failures are thrown at once', () => {
  test.each([
    { name: 'a wrong key', step: problem(401, 'invalid_api_key'), code: 'invalid_api_key', status: 401 },
    { name: 'a wrong id', step: problem(400, 'invalid_request'), code: 'invalid_request', status: 400 },
    { name: 'a bug there', step: problem(500, 'internal_error'), code: 'internal_error', status: 500 },
    { name: 'a page for people', step: html(200), code: 'invalid_response', status: 200 },
    { name: 'a 404 of a proxy', step: html(404), code: 'invalid_response', status: 404 },
    { name: 'no entitlements at all', step: json({}), code: 'invalid_response', status: 200 },
    { name: 'null', step: json(null), code: 'invalid_response', status: 200 },
    { name: 'nothing', step: json(undefined), code: 'invalid_response', status: 200 },
    {
      name: "someone else's answer",
      step: json(answer({ user_id: 'user_2' })),
      code: 'invalid_response',
      status: 200,
    },
    {
      name: 'a redirect',
      step: json({}, 302, { location: 'http://127.0.0.1:9/' }),
      code: 'invalid_response',
      status: 302,
    },
  ])('$name', async ({ step, code, status }) => {
    service.script(step);
    const failed = service.client().entitlements('user_1');
    await expect(failed).rejects.toMatchObject({ name: 'BillingError', code, status, retryable: false });
    expect(service.seen).toHaveLength(1);
  });
});

describe('what an error contains', () => {
  test('all that the problem document says', async () => {
    const errors = [{ path: 'user_id', message: 'must not be empty' }];
    const body = { code: 'invalid_request', detail: 'Correct user_id.', request_id: 'req_body', errors };
    service.script(json(body, 400));
    const failed = service.client().entitlements('user_1');
    await expect(failed).rejects.toMatchObject({
      message: 'invalid_request: Correct user_id.',
      detail: 'Correct user_id.',
      requestId: 'req_body',
      errors,
      retryAfterMs: null,
    });
  });

  test('the request id of the header where there is no document', async () => {
    service.script((response) => {
      response.writeHead(404, { 'x-request-id': 'req_header' }).end('gone');
    });
    const failed = service.client().entitlements('user_1');
    await expect(failed).rejects.toMatchObject({ requestId: 'req_header', errors: [] });
  });

  test('the address and the cause, but never the key', async () => {
    await service.stop();
    const client = service.client({ retries: 0, apiKey: 'proj_very_secret' });
    const error: unknown = await client.entitlements('user_1').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'network_error', status: null, requestId: null, retryable: true });
    const text = JSON.stringify([error, String(error), String((error as Error).cause)]);
    expect(text).toContain(service.url);
    expect(text).not.toContain('secret');
    service = await startScriptedService();
  });
});
