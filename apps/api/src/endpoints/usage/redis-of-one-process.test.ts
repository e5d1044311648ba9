import { createTestProxy, waitFor } from '@billing/testing';
import { startTestApi } from '../../testing/start-test-api.test-support.ts';
import type { TestApi } from '../../testing/start-test-api.test-support.ts';
import { event, startUsageApi } from './usage-api.test-support.ts';
import type { UsageApi } from './usage-api.test-support.ts';

let usage: UsageApi;
/** Another process, which reaches Redis in its own way. */
let other: TestApi;
let proxy: Awaited<ReturnType<typeof createTestProxy>>;

beforeAll(async () => {
  usage = await startUsageApi();
  const { database, redis } = usage.api;
  proxy = await createTestProxy({ port: Number(new URL(redis.url).port) });
  other = await startTestApi({ database, redis, env: { CACHE_REDIS_URL: proxy.urlFor(redis.url) } });
});
afterAll(async () => {
  await other.close();
  await proxy.close();
  await usage.api.close();
});

const ageOf = ({ checked_at: at, as_of: asOf }: { checked_at: string; as_of: string }): number =>
  Date.parse(at) - Date.parse(asOf);

/** An answer from a copy that is older than all show a commit. */
const untilOldHit = (userId: string) =>
  waitFor(
    async () => {
      const { headers, body } = await usage.check({ user_id: userId, feature_code: 'calls' });
      return headers['x-cache'] === 'hit' && ageOf(body) > 1_000 ? body : null;
    },
    { what: 'an answer from an old copy' },
  );

test.each(['refuse', 'freeze'] as const)(
  'one process commits while Redis does not answer it (%s): the other one soon shows it, and not what it has a copy of',
  async (mode) => {
    const userId = await usage.userWith(10);
    expect((await untilOldHit(userId)).balance.used).toBe(0);
    await proxy.setMode(mode);
    const taken = event(userId, { quantity: 4 });
    const isTaken = async (): Promise<boolean> => {
      const sent = other.http().post('/api/v1/usage').send(taken);
      const { status, body } = await sent.set('authorization', `Bearer ${usage.project.apiKey}`);
      return status === 200 && body.recorded === true;
    };
    // The same event again, where a busy machine takes longer than a call may.
    await waitFor(isTaken, { what: 'what was taken' });
    // Of a copy's life, a minute, this is a small part; a second is promised, and this machine is busy.
    await waitFor(
      async () => {
        const { body } = await usage.check({ user_id: userId, feature_code: 'calls' });
        return body.balance.used === 4;
      },
      { what: 'what was used', timeoutMs: 5_000, intervalMs: 20 },
    );
    await proxy.setMode('pass');
    expect((await untilOldHit(userId)).balance.used).toBe(4);
  },
);
