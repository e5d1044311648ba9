import { randomBytes } from 'node:crypto';
import { apiKeyRandomBytes, formatApiKey } from '@billing/domain';
import { waitFor } from '@billing/testing';
import { startTestApi, testAdmin } from '../testing/start-test-api.test-support.ts';
import type { TestApi } from '../testing/start-test-api.test-support.ts';

const perMinute = 20;

async function failOften(call: (address: string) => Promise<{ status: number }>, address: string) {
  const statuses: number[] = [];
  for (let tries = 0; tries < perMinute + 10; tries += 1) statuses.push((await call(address)).status);
  return statuses;
}
const unknownKey = (): string => formatApiKey(randomBytes(apiKeyRandomBytes));

describe('failed log-ins', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi({
      env: { AUTH_FAILURES_PER_MINUTE: String(perMinute), TRUST_PROXY: 'loopback' },
    });
  });
  afterAll(() => api.close());

  let lastAddress = 0;
  /** An address of the documentation's networks that no other test uses. */
  const newAddress = (): string => `198.51.100.${(lastAddress += 1)}`;
  const check = (apiKey: string, address: string) =>
    api
      .http()
      .get('/api/v1/entitlements?user_id=u')
      .set({ authorization: `Bearer ${apiKey}`, 'x-forwarded-for': address });
  const administer = (secret: string, address: string) =>
    api
      .http()
      .get('/api/v1/admin/projects')
      .set({ authorization: `Bearer ${secret}`, 'x-forwarded-for': address });

  it('are 401 for a while, then 429 with Retry-After; other addresses are not affected', async () => {
    const [hostile, harmless] = [newAddress(), newAddress()];
    const statuses = await failOften((address) => check(unknownKey(), address), hostile);
    expect(statuses.slice(0, perMinute)).toEqual(Array.from({ length: perMinute }, () => 401));
    expect(statuses).toContain(429);
    const refused = await check(unknownKey(), hostile);
    expect([refused.status, refused.body.code]).toEqual([429, 'rate_limited']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await check(unknownKey(), harmless)).status).toBe(401);
  });

  it('do not affect a key that works from there', async () => {
    const { apiKey } = await api.createProject();
    const address = newAddress();
    expect((await check(apiKey, address)).status).toBe(200);
    await failOften((from) => check('proj_junk', from), address);
    expect((await check(apiKey, address)).status).toBe(200);
  });

  it('of an address do not shut out an admin secret from there, whoever was let in before', async () => {
    const address = newAddress();
    const statuses = await failOften((from) => administer('guess', from), address);
    expect(statuses).toContain(429);
    expect((await administer(testAdmin.secret, address)).status).toBe(200);
  });

  it('are slowed down also at an address that a right secret came from', async () => {
    const address = newAddress();
    expect((await administer(testAdmin.secret, address)).status).toBe(200);
    expect(await failOften((from) => administer('guess', from), address)).toContain(429);
  });

  it('do not shut out a key that nobody has used here yet', async () => {
    const address = newAddress();
    const { apiKey } = await api.createProject();
    expect(await failOften((from) => check(unknownKey(), from), address)).toContain(429);
    await waitFor(async () => (await check(apiKey, address)).status === 200, {
      what: 'the new key',
      timeoutMs: 5_000,
    });
  });

  it('are counted for each area by itself', async () => {
    const address = newAddress();
    await failOften((from) => administer('guess', from), address);
    expect((await check(unknownKey(), address)).status).toBe(401);
  });

  it('are counted per network for IPv6 (/64)', async () => {
    let host = 0;
    const statuses = await failOften(() => check(unknownKey(), `2001:db8::${(host += 1).toString(16)}`), '');
    expect(statuses).toContain(429);
    expect((await check(unknownKey(), '2001:db8:0:1::1')).status).toBe(401);
  });

  it('of no key at all are not counted', async () => {
    const address = newAddress();
    for (let tries = 0; tries < perMinute + 10; tries += 1)
      await api.http().get('/api/v1/entitlements?user_id=u').set('x-forwarded-for', address).expect(401);
    expect((await check(unknownKey(), address)).status).toBe(401);
  });
});

describe('without TRUST_PROXY', () => {
  it('no caller can claim another address', async () => {
    const api = await startTestApi({ env: { AUTH_FAILURES_PER_MINUTE: '5' } });
    const statuses: number[] = [];
    for (let address = 1; address <= 15; address += 1) {
      const response = await api
        .http()
        .get('/api/v1/admin/projects')
        .set({ authorization: 'Bearer guess', 'x-forwarded-for': `198.51.100.${address}` });
      statuses.push(response.status);
    }
    expect(statuses).toContain(429);
    await api.close();
  });
});
