import { answer } from './answers.test-support.ts';
import type { BillingError } from './billing-error.ts';
import type { UnavailableAnswer } from './options.ts';
import {
  cutOff,
  hang,
  html,
  json,
  limitFor,
  problem,
  startScriptedService,
} from './scripted-service.test-support.ts';
import type { ScriptedService, Step } from './scripted-service.test-support.ts';

let service: ScriptedService;
beforeEach(async () => {
  service = await startScriptedService();
});
afterEach(() => service.stop());

const outages: { name: string; step: Step; code: string }[] = [
  { name: 'no connection', step: cutOff, code: 'network_error' },
  { name: 'no answer in time', step: hang, code: 'timeout' },
  { name: 'too many requests', step: problem(429, 'rate_limited'), code: 'rate_limited' },
  { name: 'a bug in the service', step: problem(500, 'internal_error'), code: 'internal_error' },
  { name: 'a dependency away', step: problem(503, 'service_unavailable'), code: 'service_unavailable' },
  { name: "a proxy's page", step: html(200), code: 'invalid_response' },
  { name: 'an answer without entitlements', step: json({ user_id: 'user_1' }), code: 'invalid_response' },
];

describe.each(outages)('can, when the service is away: $name', ({ step, code }) => {
  test.each<{ onUnavailable: UnavailableAnswer | undefined; expected: boolean | 'throws' }>([
    { onUnavailable: 'deny', expected: false },
    { onUnavailable: 'allow', expected: true },
    { onUnavailable: 'throw', expected: 'throws' },
    { onUnavailable: undefined, expected: 'throws' },
  ])('$onUnavailable: $expected', async ({ onUnavailable, expected }) => {
    service.script(step);
    const reported: unknown[] = [];
    const client = service.client({
      retries: 0,
      ...limitFor(step),
      onUnavailable,
      onFallback: (error) => reported.push(error.code),
    });
    const outcome = await client
      .can('user_1', 'premium_export')
      .catch((error: unknown) => (error as BillingError).code);
    expect(outcome).toBe(expected === 'throws' ? code : expected);
    expect(reported).toEqual(expected === 'throws' ? [] : [code]);
  });
});

describe.each([
  { step: problem(400, 'invalid_request'), code: 'invalid_request' },
  { step: problem(401, 'invalid_api_key'), code: 'invalid_api_key' },
  { step: problem(403, 'project_inactive'), code: 'project_inactive' },
  { step: problem(404, 'route_not_found'), code: 'route_not_found' },
])('can, when the mistake is here: $code', ({ step, code }) => {
  test.each<UnavailableAnswer>(['deny', 'allow', 'throw'])(
    'is thrown in spite of %p',
    async (onUnavailable) => {
      service.script(step);
      const asked = service.client({ onUnavailable }).can('user_1', 'premium_export');
      await expect(asked).rejects.toMatchObject({ name: 'BillingError', code });
    },
  );
});

test('a call may choose for itself', async () => {
  service.script(problem(503, 'service_unavailable'));
  const client = service.client({ retries: 0, onUnavailable: 'deny' });
  await expect(client.can('user_1', 'export', { onUnavailable: 'allow' })).resolves.toBe(true);
  await expect(client.can('user_1', 'export', { onUnavailable: 'throw' })).rejects.toThrow(
    'service_unavailable',
  );
});

test('only `can` has a fallback: entitlements are never invented', async () => {
  service.script(problem(503, 'service_unavailable'));
  const client = service.client({ retries: 0, onUnavailable: 'deny' });
  await expect(client.entitlements('user_1')).rejects.toMatchObject({ code: 'service_unavailable' });
  await expect(client.batch(['user_1'])).rejects.toMatchObject({ code: 'service_unavailable' });
});

test('a fetch that ignores the signal is bounded too', async () => {
  const client = service.client({ retries: 0, timeoutMs: 50, fetch: () => new Promise(() => {}) });
  await expect(client.entitlements('user_1')).rejects.toMatchObject({ code: 'timeout', status: null });
});

test('a fetch that throws at once is a network error', async () => {
  const client = service.client({
    retries: 0,
    fetch: () => {
      throw new TypeError('no network in here');
    },
  });
  const error = await client.entitlements('user_1').catch((thrown: unknown) => thrown as BillingError);
  expect(error).toMatchObject({ code: 'network_error', cause: new TypeError('no network in here') });
});

describe('with a cache', () => {
  const cache = { ttlMs: 60_000 };

  test('concurrent calls for one user are one request', async () => {
    service.script(json(answer()));
    const client = service.client({ cache });
    const asked = Array.from({ length: 20 }, () => client.can('user_1', 'premium_export'));
    await expect(Promise.all(asked)).resolves.toEqual(asked.map(() => true));
    await expect(client.can('user_1', 'another')).resolves.toBe(false);
    await expect(client.entitlements('user_1')).resolves.toEqual(answer());
    expect(service.seen).toHaveLength(1);
    expect(service.seen[0]?.url.searchParams.has('feature_code')).toBe(false);
  });

  test('a feature is picked from the remembered answer', async () => {
    service.script(json(answer()));
    const client = service.client({ cache });
    await expect(client.entitlements('user_1', { featureCode: 'premium_export' })).resolves.toEqual(answer());
    const none = await client.entitlements('user_1', { featureCode: 'another' });
    expect(none).toEqual(answer({ entitlements: [] }));
  });

  test('a caller that changes its answer does not change that of another', async () => {
    service.script(json(answer()));
    const client = service.client({ cache });
    const [first, second] = await Promise.all([client.entitlements('user_1'), client.entitlements('user_1')]);
    first.entitlements.pop();
    expect(second).toEqual(answer());
    await expect(client.can('user_1', 'premium_export')).resolves.toBe(true);
  });

  test('an explanation never comes from the cache', async () => {
    service.script(json(answer()), json(answer({ explanation: [] })));
    const client = service.client({ cache });
    await client.entitlements('user_1');
    await expect(client.entitlements('user_1', { explain: true })).resolves.toHaveProperty('explanation');
  });

  test('an outage is not remembered', async () => {
    service.script(problem(503, 'service_unavailable'), json(answer()));
    const client = service.client({ cache, retries: 0, onUnavailable: 'deny' });
    await expect(client.can('user_1', 'premium_export')).resolves.toBe(false);
    await expect(client.can('user_1', 'premium_export')).resolves.toBe(true);
  });

  test('after forget the next call is a request', async () => {
    service.script(json(answer({ entitlements: [] })), json(answer()));
    const client = service.client({ cache });
    await expect(client.can('user_1', 'premium_export')).resolves.toBe(false);
    client.forget('user_1');
    await expect(client.can('user_1', 'premium_export')).resolves.toBe(true);
  });
});
