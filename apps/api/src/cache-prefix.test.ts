import { startTestRedis, waitFor } from '@billing/testing';
import { Redis } from 'ioredis';
import { readConfig } from './config.ts';
import { startTestApi, testAdmin } from './testing/start-test-api.test-support.ts';

/**
 * Staging that was restored from production has the same projects, users and versions: on one cache they would answer
 * with each other's entitlements.
 */
test('environments that share a cache keep apart by CACHE_PREFIX', async () => {
  const redis = await startTestRedis();
  const apis = await Promise.all(
    ['production:', 'staging:'].map((CACHE_PREFIX) =>
      startTestApi({ redis, env: { CACHE_PREFIX, RATE_LIMIT_PER_SECOND: '100' } }),
    ),
  );
  const reader = new Redis(redis.url);
  try {
    for (const api of apis) {
      const { projectId, apiKey } = await api.createProject('shop');
      const isFirst = api === apis[0];
      if (isFirst)
        await api
          .http()
          .post('/api/v1/admin/grant')
          .set('authorization', `Bearer ${testAdmin.secret}`)
          .send({ project_id: projectId, user_id: 'ann', feature_code: 'pro', reason: 'test' })
          .expect(201);
      const check = () =>
        api
          .http()
          .get('/api/v1/entitlements?user_id=ann')
          .set('authorization', `Bearer ${apiKey}`)
          .expect(200);
      await waitFor(async () => (await check()).headers['x-cache'] === 'hit', { what: 'a hit' });
      expect((await check()).body.entitlements).toHaveLength(isFirst ? 1 : 0);
    }
    // Those of the queue, and what `/ready` writes to see whether it may.
    const keys = (await reader.keys('*')).filter((key) => !/^(?:bull|billing):/.test(key));
    const kinds = keys.map((key) => key.replace(/^(\w+:\w+:\w?).*$/, '$1'));
    expect([...new Set(kinds)].sort()).toEqual(
      ['production', 'staging'].flatMap((name) => [
        `${name}:ent:g`,
        `${name}:ent:k`,
        `${name}:ent:p`,
        `${name}:ent:u`,
        `${name}:rate:k`,
      ]),
    );
  } finally {
    reader.disconnect();
    await Promise.all(apis.map((api) => api.close()));
    await redis.stop();
  }
});

test.each(['a b', '{tag}', 'x'.repeat(65), 'a*'])('a CACHE_PREFIX of %p ends the start', (CACHE_PREFIX) => {
  expect(() => readConfig({ CACHE_PREFIX })).toThrow('CACHE_PREFIX: expected');
});
