import { createMetrics } from '@billing/platform';
import { startTestApi } from '../testing/start-test-api.test-support.ts';
import { createAdmission, nextAdmission } from './admit-misses.ts';

test.each([
  ['at once, where all are there', 0, { now: 5_000, endsAt: 5_000 }, { waitMs: 0, wholeAt: 5_100 }],
  ['at once, as the last of ten', 5_900, { now: 5_000, endsAt: 5_000 }, { waitMs: 0, wholeAt: 6_000 }],
  ['after its share of a second', 6_000, { now: 5_000, endsAt: 5_600 }, { waitMs: 100, wholeAt: 6_100 }],
  ['just in time', 6_500, { now: 5_000, endsAt: 5_600 }, { waitMs: 600, wholeAt: 6_600 }],
])('one is admitted %s', (_, wholeAt, asked, next) => {
  expect(nextAdmission({ wholeAt, perSecond: 10 }, asked)).toEqual(next);
});

test('who cannot be in time is not counted', () => {
  expect(nextAdmission({ wholeAt: 6_600, perSecond: 10 }, { now: 5_000, endsAt: 5_600 })).toBeNull();
});

test('only statements for users whose cache is cold are counted, a batch as one', async () => {
  const metrics = createMetrics({ service: 'test', withProcessMetrics: false });
  const admission = createAdmission({
    perSecond: 2,
    cache: { isWarming: (_, userId) => userId.startsWith('cold') },
    metrics,
  });
  const admit = (...userIds: string[]): Promise<void> =>
    admission.admit({ projectId: 'p', userIds }, performance.now() + 50);
  for (let count = 0; count < 10; count += 1) await admit('warm', 'warmer');
  await admit('cold 1', 'cold 2', 'cold 3', 'warm');
  await admit('cold 4');
  await expect(admit('cold 5')).rejects.toMatchObject({
    code: 'service_unavailable',
    retryAfterSeconds: 1,
  });
  await expect(admit('warm')).resolves.toBeUndefined();
  expect(await metrics.registry.metrics()).toContain('entitlement_reads_not_admitted_total 1');
});

test('while the cache is away, so many checks of different users are answered, and the others told to come back', async () => {
  const api = await startTestApi({ env: { CACHE_WARMUP_MISSES_PER_SECOND: '20' } });
  const { apiKey } = await api.createProject();
  const check = (userId: string) =>
    api
      .http()
      .get('/api/v1/entitlements')
      .query({ user_id: userId })
      .set('authorization', `Bearer ${apiKey}`);
  await Promise.all(Array.from({ length: 60 }, (_, user) => check(`warm ${user}`).expect(200)));
  await api.redis.stop();
  const answers = await Promise.all(Array.from({ length: 100 }, (_, user) => check(`cold ${user}`)));
  const by = (status: number) => answers.filter((answer) => answer.status === status);
  expect(by(200).length + by(503).length).toBe(100);
  // One second's worth at once, and those who could wait for their share: 0.6 s of it, and what a busy machine adds.
  expect(by(200).length).toBeGreaterThanOrEqual(20);
  expect(by(200).length).toBeLessThanOrEqual(50);
  expect(new Set(by(503).map(({ headers }) => headers['retry-after']))).toEqual(new Set(['1']));
  const { text } = await api.http().get('/metrics');
  const counted = Number(/^entitlement_reads_not_admitted_total (\d+)$/m.exec(text)?.[1]);
  expect([counted > 0, counted <= by(503).length]).toEqual([true, true]);
  // Joined reads count for nothing.
  const joined = await Promise.all(Array.from({ length: 40 }, () => check('one')));
  expect(new Set(joined.map(({ status }) => status)).size).toBe(1);
  await api.close();
}, 30_000);
