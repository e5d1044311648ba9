import { queueNames, usageJob } from '@billing/domain';
import { createTestProxy, startTestRedis, waitFor } from '@billing/testing';
import { event, startUsageApi } from './usage-api.test-support.ts';
import type { UsageApi } from './usage-api.test-support.ts';

/** A second is promised; this process tests on a busy machine. */
const inTimeMs = 1_500;

let usage: UsageApi;

beforeAll(async () => {
  usage = await startUsageApi();
});
afterAll(() => usage.api.close());

/** Runs work while Postgres is away; the key and the user are known by then. */
async function withoutPostgres<T>(mode: 'refuse' | 'freeze', work: () => Promise<T>): Promise<T> {
  const { api } = usage;
  await api.databaseProxy.setMode(mode);
  try {
    return await work();
  } finally {
    await api.databaseProxy.setMode('pass');
    await waitFor(() => api.deps.database.$queryRaw`SELECT 1`, { what: 'Postgres' });
  }
}

async function timed<T>(work: PromiseLike<T>): Promise<{ answer: T; ms: number }> {
  const startedAt = performance.now();
  return { answer: await work, ms: performance.now() - startedAt };
}

const jobs = async () =>
  (await usage.api.deps.usageEvents.list('waiting', { from: 0, to: 10 })).map(({ data }) =>
    usageJob.parse(data),
  );

test.each(['refuse', 'freeze'] as const)(
  'Postgres is away (%s): enforce is 503 within a second, record is queued once, and all is back by itself',
  async (mode) => {
    const userId = await usage.userWith(100);
    await usage.use(event(userId));
    const recorded = event(userId, { mode: 'record', quantity: 7 });
    await withoutPostgres(mode, async () => {
      const enforced = await timed(usage.use(event(userId)));
      expect([enforced.answer.status, enforced.answer.body.code]).toEqual([503, 'usage_unavailable']);
      expect(enforced.answer.headers['retry-after']).toBe('1');
      expect(enforced.ms).toBeLessThan(inTimeMs);
      const reserved = await timed(
        usage
          .call('post', '/api/v1/usage/reservations')
          .send({ reservation_id: `r_${mode}`, user_id: userId, feature_code: 'calls', quantity: 1 }),
      );
      expect([reserved.answer.status, reserved.answer.body.code]).toEqual([503, 'usage_unavailable']);
      for (let count = 0; count < 2; count += 1) {
        const { answer, ms } = await timed(usage.use(recorded));
        expect([answer.status, answer.body]).toEqual([202, { event_id: recorded.event_id, queued: true }]);
        expect(ms).toBeLessThan(inTimeMs);
      }
      const batch = await usage
        .call('post', '/api/v1/usage/batch')
        .send({ events: [event(userId), { ...recorded, event_id: `${recorded.event_id}_2` }] });
      expect(batch.body.results).toMatchObject([{ error: { code: 'usage_unavailable' } }, { queued: true }]);
    });
    const queued = (await jobs()).filter(({ request }) => request.user_id === userId);
    expect(queued).toMatchObject([
      { request: { event_id: `${recorded.event_id}_2` } },
      { project_id: usage.project.projectId, request: { ...recorded } },
    ]);
    const back = await waitFor(
      async () => {
        const answer = await usage.use(event(userId));
        return answer.status === 200 ? answer : undefined;
      },
      { what: 'usage' },
    );
    expect(back.body.recorded).toBe(true);
  },
);

test('Postgres is away and the queue takes its time: a batch waits for it', async () => {
  const redis = await startTestRedis();
  const slow = await createTestProxy({ port: redis.port });
  const own = await startUsageApi({ redis: { ...redis, url: slow.urlFor(redis.url) } });
  const userId = await own.userWith(10);
  await own.use(event(userId));
  await own.api.databaseProxy.setMode('refuse');
  slow.setDelay(300);
  const { body } = await own
    .call('post', '/api/v1/usage/batch')
    .send({ events: [event(userId, { mode: 'record' }), event(userId, { mode: 'record' })] });
  expect(body.results).toMatchObject([{ queued: true }, { queued: true }]);
  slow.setDelay(0);
  await own.api.databaseProxy.setMode('pass');
  await own.api.close();
  await slow.close();
  await redis.stop();
});

test('the queue is not to be used: record is 503, too', async () => {
  const own = await startUsageApi({ env: { USAGE_QUEUE_WHEN_DOWN: 'false' } });
  const userId = await own.userWith(10);
  await own.use(event(userId));
  await own.api.databaseProxy.setMode('refuse');
  const answer = await own.use(event(userId, { mode: 'record' }));
  expect([answer.status, answer.body.code]).toEqual([503, 'usage_unavailable']);
  await own.api.databaseProxy.setMode('pass');
  await own.api.close();
});

test('Redis is away: usage is taken, and checks come from Postgres', async () => {
  const own = await startUsageApi();
  const userId = await own.userWith(10);
  await own.use(event(userId));
  await own.api.redis.stop();
  expect((await own.use(event(userId, { quantity: 2 }))).body).toMatchObject({
    recorded: true,
    usage_seq: 2,
  });
  const checked = await own.check({ user_id: userId, feature_code: 'calls' });
  expect([checked.headers['x-cache'], checked.body.balance.used]).toEqual(['bypass', 3]);
  await own.api.close();
});

test('a balance is right after Redis lost all its data', async () => {
  const userId = await usage.userWith(10);
  await usage.use(event(userId));
  const query = { user_id: userId, feature_code: 'calls' };
  await usage.checkUntilHit(query);
  await usage.api.deps.cache.redis.flushall();
  await usage.use(event(userId, { quantity: 4 }));
  const after = await usage.check(query);
  expect([after.headers['x-cache'], after.body.balance.used]).toEqual(['miss', 5]);
});

test('the row of one user is held: only that user waits', async () => {
  const [held, free] = [await usage.userWith(10), await usage.userWith(10)];
  await Promise.all([usage.use(event(held)), usage.use(event(free))]);
  const { projectId } = usage.project;
  await usage.api.deps.database.$transaction(async (tx) => {
    await tx.$queryRaw`
      SELECT 1 FROM public.usage_states WHERE project_id = ${projectId} AND user_id = ${held} FOR UPDATE`;
    const waiting = usage.use(event(held)).then((answer) => answer);
    const others = await timed(
      Promise.all(Array.from({ length: 20 }, () => usage.use(event(free, { mode: 'record' })))),
    );
    expect(others.answer.every(({ status }) => status === 200)).toBe(true);
    expect(others.ms).toBeLessThan(600);
    expect((await waiting).body.code).toBe('usage_unavailable');
  });
  expect((await usage.use(event(held))).status).toBe(200);
});

test('a state that cannot be read fails its user alone', async () => {
  const [broken, fine] = [await usage.userWith(10), await usage.userWith(10)];
  await usage.use(event(broken));
  await usage.api.deps.database.usageState.updateMany({
    where: { userId: broken },
    data: { buckets: { no: 'list' } },
  });
  const answers = await Promise.all([broken, fine, broken, fine].map((userId) => usage.use(event(userId))));
  expect(answers.map(({ status }) => status)).toEqual([500, 200, 500, 200]);
});

test('the queue has a name that others may rely on', () => {
  expect(queueNames.usageEvents).toBe('usage-events');
});
