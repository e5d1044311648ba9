import { hourMs } from '@billing/domain';
import { publishInvalidations } from '@billing/store';
import { waitFor } from '@billing/testing';
import { giveGrant } from '../testing/sources.test-support.ts';
import { startTestApi } from '../testing/start-test-api.test-support.ts';
import type { TestApi } from '../testing/start-test-api.test-support.ts';

describe('a check while something is broken', () => {
  let api: TestApi;
  let project: { projectId: string; apiKey: string; keyId: string };

  beforeEach(async () => {
    api = await startTestApi();
    project = await api.createProject();
  });
  afterEach(async () => {
    await api.databaseProxy.setMode('pass');
    api.redis.resume();
    await api.close();
  });

  const check = (userId: string, apiKey = project.apiKey) =>
    api
      .http()
      .get('/api/v1/entitlements')
      .query({ user_id: userId })
      .set('authorization', `Bearer ${apiKey}`);

  async function give(userId: string, featureCode: string): Promise<'published' | 'pending'> {
    const owner = { projectId: project.projectId, userId };
    const { pending } = await giveGrant(api.deps.database, owner, { featureCode });
    return publishInvalidations(api.deps, pending);
  }

  const featuresOf = async (userId: string): Promise<string[]> =>
    (await check(userId)).body.entitlements.map((entry: { feature_code: string }) => entry.feature_code);

  /** A busy machine may miss the moment in which an answer is stored; the next read stores it then. */
  const warm = (userId: string): Promise<unknown> =>
    waitFor(async () => (await check(userId)).headers['x-cache'] === 'hit', { what: 'a hit' });

  it.each(['stopped', 'frozen'])('answers correctly from Postgres while Redis is %s', async (fault) => {
    await give('u', 'a');
    await check('u');
    if (fault === 'stopped') await api.redis.stop();
    else api.redis.pause();
    const response = await check('u').timeout(1_500);
    expect([response.status, response.headers['x-cache']]).toEqual([200, 'bypass']);
    expect(await give('u', 'b')).toBe('pending');
    expect(await featuresOf('u')).toEqual(['a', 'b']);
    if (fault === 'stopped') await api.redis.start();
    else api.redis.resume();
    // The old answer may still be in Redis: it is never served again, and hits come back.
    await waitFor(
      async () => {
        const { body, headers } = await check('u');
        expect(body.entitlements).toHaveLength(2);
        return headers['x-cache'] === 'hit';
      },
      { what: 'a hit' },
    );
    await waitFor(async () => (await api.deps.database.cacheInvalidation.count()) === 0, {
      what: 'the pending invalidation to be published',
    });
  });

  it.each(['refuse', 'freeze'] as const)(
    'answers warm reads from Redis while Postgres does %s',
    async (fault) => {
      await give('u', 'a');
      await warm('u');
      await api.databaseProxy.setMode(fault);
      for (let read = 0; read < 3; read += 1) {
        const startedAt = performance.now();
        const response = await check('u');
        expect([response.status, response.headers['x-cache']]).toEqual([200, 'hit']);
        expect(performance.now() - startedAt).toBeLessThan(1_000);
        // Older than a key record may be without a new read.
        await new Promise((resolve) => setTimeout(resolve, 550));
      }
      const startedAt = performance.now();
      const cold = await check('cold');
      expect([cold.status, cold.body.code]).toEqual([503, 'service_unavailable']);
      expect(cold.headers['retry-after']).toBe('1');
      expect(performance.now() - startedAt).toBeLessThan(1_100);
      await api.databaseProxy.setMode('pass');
      await waitFor(async () => (await check('cold')).status === 200, { what: 'Postgres' });
    },
  );

  it('lets a fresh process answer from Redis alone, keys included', async () => {
    await give('u', 'a');
    await warm('u');
    const second = await startTestApi({ database: api.database, redis: api.redis, databaseMode: 'refuse' });
    try {
      const response = await second
        .http()
        .get('/api/v1/entitlements')
        .query({ user_id: 'u' })
        .set('authorization', `Bearer ${project.apiKey}`);
      expect([response.status, response.headers['x-cache']]).toEqual([200, 'hit']);
    } finally {
      await second.close();
    }
  });

  it('answers 503, never fewer entitlements, when both are away', async () => {
    await give('u', 'a');
    await check('u');
    await api.redis.stop();
    await api.databaseProxy.setMode('refuse');
    expect((await check('u')).status).toBe(503);
  });

  it('is right again after FLUSHALL', async () => {
    await give('u', 'a');
    await check('u');
    await api.deps.cache.redis.flushall();
    await give('u', 'b');
    expect(await featuresOf('u')).toEqual(['a', 'b']);
    await api.deps.cache.redis.flushall();
    expect(await featuresOf('u')).toEqual(['a', 'b']);
  });

  it('refuses a revoked key within a second, also with Redis down', async () => {
    expect((await check('u')).status).toBe(200);
    await api.redis.stop();
    expect((await check('u')).status).toBe(200);
    await api.deps.database.apiKey.update({ where: { id: project.keyId }, data: { revokedAt: new Date() } });
    const revokedAt = performance.now();
    await waitFor(async () => (await check('u')).status === 401, {
      what: 'the revocation',
      timeoutMs: 1_000,
    });
    expect(performance.now() - revokedAt).toBeLessThan(1_000);
  });

  it('publishes what a process that died left pending', async () => {
    await give('u', 'a');
    await check('u');
    // Committed, but not published.
    await giveGrant(api.deps.database, { projectId: project.projectId, userId: 'u' }, { featureCode: 'b' });
    await waitFor(async () => (await featuresOf('u')).length === 2, {
      what: 'the loop that publishes',
      timeoutMs: 8_000,
    });
    await waitFor(async () => (await api.deps.database.cacheInvalidation.count()) === 0, {
      what: 'the pending row to be deleted',
    });
    expect(await featuresOf('u')).toEqual(['a', 'b']);
  });

  it('answers a batch in request order, warm and cold', async () => {
    await give('u1', 'a');
    await give('u2', 'b');
    const batch = (userIds: unknown, apiKey = project.apiKey) =>
      api
        .http()
        .post('/api/v1/entitlements/batch')
        .set('authorization', `Bearer ${apiKey}`)
        .send({ user_ids: userIds });
    for (const expected of ['miss', 'hit']) {
      const { body, headers } = await batch(['u2', 'nobody', 'u1', 'u2']);
      expect(headers['x-cache']).toBe(expected);
      expect(body.project_id).toBe(project.projectId);
      expect(body.results.map((one: { user_id: string }) => one.user_id)).toEqual([
        'u2',
        'nobody',
        'u1',
        'u2',
      ]);
      expect(body.results.map((one: { entitlements: unknown[] }) => one.entitlements.length)).toEqual([
        1, 0, 1, 1,
      ]);
    }
    expect((await check('u1')).headers['x-cache']).toBe('hit');
    for (const bad of [[], 'u', [''], Array.from({ length: 101 }, () => 'u'), [7], undefined])
      expect((await batch(bad)).body.code).toBe('invalid_request');
    expect((await batch(['u'], 'nonsense')).status).toBe(401);
    await api.redis.stop();
    expect((await batch(['u1'])).headers['x-cache']).toBe('bypass');
    await api.databaseProxy.setMode('refuse');
    expect((await batch(['u1'])).status).toBe(503);
  });

  const send = (type: string, body: string) =>
    api
      .http()
      .post('/api/v1/entitlements/batch')
      .set('authorization', `Bearer ${project.apiKey}`)
      .set('content-type', type)
      .send(body);

  it('wants JSON for a batch', async () => {
    expect((await send('text/plain', '{"user_ids":["u"]}')).body.code).toBe('unsupported_media_type');
    expect((await send('application/json', '{')).body.code).toBe('invalid_request');
    expect((await send('application/json', `"${'x'.repeat(300_000)}"`)).body.code).toBe('payload_too_large');
    expect((await send('application/json', '{"user_ids":["u"],"more":1}')).body.errors).toEqual([
      { path: 'more', message: 'is not known here' },
    ]);
  });

  it('never serves an answer past its end, though the clock moved while Redis was away', async () => {
    const owner = { projectId: project.projectId, userId: 'u' };
    const validTo = new Date(api.clock.now() + hourMs);
    const { pending } = await giveGrant(api.deps.database, owner, { featureCode: 'a', validTo });
    await publishInvalidations(api.deps, pending);
    await check('u');
    await api.databaseProxy.setMode('refuse');
    api.clock.advance(2 * hourMs);
    const response = await check('u');
    expect(response.status).toBe(503);
  });
});
