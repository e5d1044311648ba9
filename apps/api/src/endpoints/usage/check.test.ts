import { hourMs } from '@billing/domain';
import { waitFor } from '@billing/testing';
import { testAdmin } from '../../testing/start-test-api.test-support.ts';
import { event, startUsageApi } from './usage-api.test-support.ts';
import type { UsageApi } from './usage-api.test-support.ts';

let api: UsageApi['api'];
let project: UsageApi['project'];
let call: UsageApi['call'];
let check: UsageApi['check'];
let checkUntilHit: UsageApi['checkUntilHit'];
let use: UsageApi['use'];
let userWith: UsageApi['userWith'];
let close: () => Promise<void>;

beforeAll(async () => {
  const started = await startUsageApi();
  ({ api, project, call, check, checkUntilHit, use, userWith } = started);
  close = () => started.api.close();
});
afterAll(() => close());

test('what is used is seen by the next check, from the cache', async () => {
  const userId = await userWith(10);
  const query = { user_id: userId, feature_code: 'calls' };
  const cold = await check(query);
  expect(cold.body).toMatchObject({
    kind: 'metered',
    allowed: true,
    reason: 'within_allowance',
    required: 1,
    limit: null,
    value: null,
    balance: { granted: 10, used: 0, remaining: 10, buckets: [{ source: 'manual', granted: 10 }] },
    usage_seq: 0,
  });
  expect(cold.headers['x-cache']).toBe('miss');
  const used = await use(event(userId, { quantity: 4 }));
  expect([used.status, used.body]).toMatchObject([
    200,
    { recorded: true, duplicate: false, allowed: true, quantity: 4, usage_seq: 1 },
  ]);
  const warm = await checkUntilHit({ ...query, required: 6 });
  expect(warm.body).toMatchObject({ allowed: true, required: 6, balance: used.body.balance, usage_seq: 1 });
  expect((await check({ ...query, required: 7 })).body).toMatchObject({
    allowed: false,
    reason: 'insufficient_balance',
  });
});

test('a grant that is revoked is seen by the next check', async () => {
  const userId = await userWith(10, 'calls', { validTo: new Date(Date.now() + hourMs) });
  const query = { user_id: userId, feature_code: 'calls' };
  await use(event(userId));
  await checkUntilHit(query);
  const revoked = await api
    .http()
    .post('/api/v1/admin/revoke')
    .set('authorization', `Bearer ${testAdmin.secret}`)
    .send({ grant_id: `grant_${userId}`, reason: 'test' });
  expect(revoked.status).toBe(200);
  const after = await check(query);
  expect(after.body).toMatchObject({ allowed: false, reason: 'not_entitled', usage_seq: 1 });
  expect((await use(event(userId))).body).toMatchObject({ allowed: false, recorded: false });
});

test('entitlements include balances', async () => {
  const userId = await userWith(10);
  await use(event(userId, { quantity: 3 }));
  const asked = call('get', '/api/v1/entitlements').query({ user_id: userId, include: 'usage' });
  const plain = call('get', '/api/v1/entitlements').query({ user_id: userId });
  expect((await asked).body.entitlements).toMatchObject([
    {
      feature_code: 'calls',
      kind: 'metered',
      allowance: 10,
      balance: { granted: 10, used: 3, remaining: 7 },
    },
  ]);
  expect((await plain).body.entitlements[0].balance).toBeUndefined();
});

test('checks of unknown users and codes, and of other kinds', async () => {
  const userId = await userWith(30, 'history');
  const seats = await userWith(2, 'seats');
  const reasons = await Promise.all(
    [
      { user_id: 'nobody', feature_code: 'calls' },
      { user_id: userId, feature_code: 'nothing' },
      { user_id: userId, feature_code: 'history', required: 30 },
      { user_id: userId, feature_code: 'history', required: 31 },
      { user_id: seats, feature_code: 'seats', required: 2 },
    ].map(async (query) => {
      const { status, body } = await check(query);
      return [status, body.kind, body.allowed, body.reason, body.limit];
    }),
  );
  expect(reasons).toEqual([
    [200, 'metered', false, 'not_entitled', null],
    [200, 'boolean', false, 'not_entitled', null],
    [200, 'limit', true, 'within_limit', 30],
    [200, 'limit', false, 'limit_reached', 30],
    [200, 'limit', true, 'within_limit', 2],
  ]);
});

test.each(['required', 'min_usage_seq'])('%s is a whole number in decimal digits', async (name) => {
  const userId = await userWith(10);
  const statusOf = async (value: string) =>
    (await check({ user_id: userId, feature_code: 'calls', [name]: value })).status;
  for (const value of ['0', '7', '007']) expect([value, await statusOf(value)]).toEqual([value, 200]);
  for (const value of ['', ' 1', '-1', '1.5', '1e3', '0x10', 'one'])
    expect([value, await statusOf(value)]).toEqual([value, 400]);
});

test('an answer not older than a `usage_seq`: of what was used, of what never was, and of users and codes that nobody knows', async () => {
  const used = await userWith(10);
  const unused = await userWith(10);
  await use(event(used));
  const asked = [
    [{ user_id: used, feature_code: 'calls', min_usage_seq: 1 }, 'within_allowance', 1],
    // Nothing is newer than what Postgres has: a number that is ahead of it is no reason to fail.
    [{ user_id: used, feature_code: 'calls', min_usage_seq: 99 }, 'within_allowance', 1],
    [{ user_id: unused, feature_code: 'calls', min_usage_seq: 0 }, 'within_allowance', 0],
    [{ user_id: unused, feature_code: 'calls', min_usage_seq: 1 }, 'within_allowance', 0],
    [{ user_id: used, feature_code: 'nothing', min_usage_seq: 1 }, 'not_entitled', 0],
    [{ user_id: 'nobody', feature_code: 'calls', min_usage_seq: 1 }, 'not_entitled', 0],
  ] as const;
  for (const [query, reason, seq] of asked)
    for (let turn = 0; turn < 2; turn += 1) {
      const { status, body, headers } = await check(query);
      expect([status, body.reason, body.usage_seq]).toEqual([200, reason, seq]);
      expect(query.min_usage_seq > seq && headers['x-cache'] === 'hit').toBe(false);
    }
  const { status, body } = await check({ user_id: used, feature_code: 'calls', min_usage_seq: -1 });
  expect([status, body.code]).toEqual([400, 'invalid_request']);
});

test('a batch of checks keeps the order', async () => {
  const users = [await userWith(1), 'nobody', await userWith(3)];
  const many = await call('post', '/api/v1/check/batch').send({
    user_ids: users,
    feature_code: 'calls',
    required: 2,
  });
  expect(
    many.body.results.map((one: { user_id: string; allowed: boolean }) => [one.user_id, one.allowed]),
  ).toEqual(users.map((userId, at) => [userId, at === 2]));
  const codes = await call('post', '/api/v1/check/batch').send({
    user_id: users[0],
    feature_codes: ['x', 'calls'],
  });
  expect(codes.body.results.map((one: { feature_code: string }) => one.feature_code)).toEqual(['x', 'calls']);
  const wrong = await call('post', '/api/v1/check/batch').send({ user_id: 'u', feature_code: 'calls' });
  expect([wrong.status, wrong.body.code]).toEqual([400, 'invalid_request']);
});

test('keys need the scope', async () => {
  const reader = await api.createApiKey(project.projectId, { scopes: ['read'] });
  const writer = await api.createApiKey(project.projectId, { scopes: ['usage'] });
  const query = { user_id: 'u', feature_code: 'calls' };
  const refused = await call('post', '/api/v1/usage', reader.apiKey).send(event('u'));
  expect([refused.status, refused.body.code]).toEqual([403, 'insufficient_scope']);
  expect((await call('get', '/api/v1/check', reader.apiKey).query(query)).status).toBe(200);
  expect((await call('get', '/api/v1/check', writer.apiKey).query(query)).status).toBe(403);
  expect((await call('post', '/api/v1/usage', writer.apiKey).send(event('u'))).status).toBe(200);
});

test('many readers of one cold balance cost one read', async () => {
  const userId = await userWith(10);
  const query = { user_id: userId, feature_code: 'calls' };
  const statements = async (): Promise<number> => {
    const { text } = await api.http().get('/metrics');
    const counts = [...text.matchAll(/^database_query_duration_seconds_count\{[^}]*\} (\d+)/gm)];
    return counts.reduce((sum, [, count]) => sum + Number(count), 0);
  };
  const before = await statements();
  const answers = await Promise.all(Array.from({ length: 60 }, () => check(query)));
  expect(answers.map(({ body }) => body.balance.remaining)).toEqual(answers.map(() => 10));
  // Two for the read; what the process asks in the background, and readers that came too late to join, are few.
  expect((await statements()) - before).toBeLessThan(40);
});

test.each(['', 'shared:'])(
  "the copies of an erased user go at once, of all codes, and nobody else's; prefix: %p",
  async (prefix) => {
    const own = await startUsageApi({ env: { CACHE_PREFIX: prefix } });
    try {
      const { projectId } = own.project;
      const [erased, other] = ['a*[b]?\\', 'a-anything-[b]x\\'];
      const { database, usage, cache } = own.api.deps;
      for (const userId of [erased, other]) {
        await database.user.create({ data: { projectId, userId } });
        for (const code of ['calls', 'seats', 'never-described'])
          expect((await own.check({ user_id: userId, feature_code: code })).status).toBe(200);
      }
      const copiesOf = async (userId: string) =>
        (await cache.redis.keys('*use:*')).filter((key) => key.includes(`:${userId}:`)).length;
      await waitFor(async () => (await copiesOf(erased)) === 3 && (await copiesOf(other)) === 3, {
        what: 'the copies',
      });
      await usage.cache.forget({ projectId, userId: erased });
      expect([await copiesOf(erased), await copiesOf(other)]).toEqual([0, 3]);
    } finally {
      await own.api.close();
    }
  },
);
