import { waitFor } from '@billing/testing';
import { startTestApi } from '../testing/start-test-api.test-support.ts';
import type { TestApi } from '../testing/start-test-api.test-support.ts';

describe('RATE_LIMIT_PER_SECOND', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi({ env: { RATE_LIMIT_PER_SECOND: '5' } });
  });
  afterAll(() => api.close());

  const check = (apiKey: string) =>
    api.http().get('/api/v1/entitlements?user_id=u').set('authorization', `Bearer ${apiKey}`);

  async function allowedOf(apiKey: string): Promise<number> {
    const responses = await Promise.all(Array.from({ length: 40 }, () => check(apiKey)));
    return responses.filter(({ status }) => status === 200).length;
  }

  it('refuses requests beyond it, by key, with Retry-After', async () => {
    const [first, second] = await Promise.all([api.createProject(), api.createProject()]);
    const responses = await Promise.all(Array.from({ length: 40 }, () => check(first.apiKey)));
    const refused = responses.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    for (const { body, headers } of refused) {
      expect(body.code).toBe('rate_limited');
      expect(headers).toMatchObject({ 'ratelimit-limit': '5', 'ratelimit-remaining': '0' });
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    }
    const other = await check(second.apiKey).expect(200);
    expect(other.headers).toMatchObject({ 'ratelimit-limit': '5', 'ratelimit-remaining': '4' });
    await waitFor(async () => (await check(first.apiKey)).status === 200, { what: 'the allowance' });
  });

  it('goes on in each process while Redis is away', async () => {
    const { apiKey } = await api.createProject();
    await check(apiKey).expect(200);
    await api.redis.stop();
    await waitFor(() => !api.deps.cache.isAvailable(), { what: 'the loss of Redis' });
    const allowed = await allowedOf(apiKey);
    expect(allowed).toBeGreaterThan(0);
    expect(allowed).toBeLessThan(40);
    await api.redis.start();
  });

  it('is off unless set', async () => {
    const unlimited = await startTestApi();
    const { apiKey } = await unlimited.createProject();
    const response = await unlimited
      .http()
      .get('/api/v1/entitlements?user_id=u')
      .set('authorization', `Bearer ${apiKey}`)
      .expect(200);
    expect(response.headers['ratelimit-limit']).toBeUndefined();
    await unlimited.close();
  });
});
