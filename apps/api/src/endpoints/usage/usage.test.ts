import { randomUUID } from 'node:crypto';
import { dayMs, hourMs } from '@billing/domain';
import { startTestApi, testAdmin } from '../../testing/start-test-api.test-support.ts';
import type { TestApi } from '../../testing/start-test-api.test-support.ts';

let api: TestApi;
let project: { projectId: string; apiKey: string };

beforeAll(async () => {
  api = await startTestApi();
  project = await api.createProject();
  await api.deps.database.feature.createMany({
    data: [
      { projectId: project.projectId, featureCode: 'calls', kind: 'metered', thresholds: [80, 100] },
      { projectId: project.projectId, featureCode: 'seats', kind: 'limit', counted: true },
      { projectId: project.projectId, featureCode: 'history', kind: 'limit' },
    ],
  });
});
afterAll(() => api.close());

/** A new user who has so much of a feature. */
async function userWith(amount: number, featureCode = 'calls', fields: object = {}): Promise<string> {
  const userId = `u_${randomUUID()}`;
  const user = await api.deps.database.user.create({ data: { projectId: project.projectId, userId } });
  await api.deps.database.grant.create({
    data: {
      id: `grant_${userId}`,
      userRef: user.id,
      featureCode,
      amount: BigInt(amount),
      validFrom: new Date(Date.now() - 100 * dayMs),
      reason: 'test',
      grantedBy: 'tester',
      grantedAt: new Date(),
      ...fields,
    },
  });
  return userId;
}

const call = (method: 'get' | 'post' | 'put', path: string, key = project.apiKey) =>
  api.http()[method](path).set('authorization', `Bearer ${key}`);
const check = (query: Record<string, unknown>) => call('get', '/api/v1/check').query(query);
const use = (body: object) => call('post', '/api/v1/usage').send(body);
const event = (userId: string, fields: object = {}) => ({
  user_id: userId,
  feature_code: 'calls',
  event_id: randomUUID(),
  ...fields,
});

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
  const warm = await check({ ...query, required: 6 });
  expect(warm.headers['x-cache']).toBe('hit');
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
  await check(query);
  expect((await check(query)).headers['x-cache']).toBe('hit');
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

test('the same event again has no second effect; with another body, or of another user, it is a conflict', async () => {
  const userId = await userWith(10);
  const one = event(userId, { quantity: 2, properties: { b: 1, a: [2] } });
  const first = await use(one);
  const again = await use({ ...one, properties: { a: [2], b: 1 }, mode: 'enforce' });
  expect(again.body).toEqual({ ...first.body, duplicate: true });
  for (const other of [
    { quantity: 3 },
    { mode: 'record' },
    { user_id: await userWith(5) },
    { properties: {} },
  ]) {
    const conflict = await use({ ...one, ...other });
    expect([conflict.status, conflict.body.code]).toEqual([409, 'event_conflict']);
  }
  expect((await check({ user_id: userId, feature_code: 'calls' })).body.balance.used).toBe(2);
});

test('one id at the same time for many users is taken once', async () => {
  const users = await Promise.all(Array.from({ length: 8 }, () => userWith(5)));
  const id = randomUUID();
  const answers = await Promise.all(users.map((userId) => use(event(userId, { event_id: id }))));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([
    200,
    ...Array.from({ length: 7 }, () => 409),
  ]);
});

test('what is refused is not stored, and its id stays free', async () => {
  const userId = await userWith(3);
  const one = event(userId, { quantity: 5 });
  expect((await use(one)).body).toMatchObject({
    allowed: false,
    recorded: false,
    reason: 'insufficient_balance',
  });
  expect((await use({ ...one, quantity: 2 })).body).toMatchObject({ recorded: true });
  const recorded = await use(event(userId, { quantity: 5, mode: 'record' }));
  expect(recorded.body).toMatchObject({
    recorded: true,
    allowed: false,
    reason: 'insufficient_balance',
    balance: { used: 7, remaining: 0, overage: 4 },
  });
});

test('a correction gives back, at most what was taken', async () => {
  const userId = await userWith(10);
  const one = event(userId, { quantity: 6 });
  await use(one);
  const correct = (fields: object) => use(event(userId, { corrects: one.event_id, ...fields }));
  expect((await correct({ quantity: -4 })).body.balance).toMatchObject({ used: 2, remaining: 8 });
  const tooLarge = await correct({ quantity: -3 });
  expect([tooLarge.status, tooLarge.body.code]).toEqual([409, 'correction_too_large']);
  const unknown = await use(event(userId, { quantity: -1, corrects: 'nothing' }));
  expect([unknown.status, unknown.body.code]).toEqual([404, 'event_not_found']);
  const listed = await call('get', '/api/v1/usage/events').query({ user_id: userId, feature_code: 'calls' });
  expect(
    listed.body.data.map((row: { quantity: number; corrected: number }) => [row.quantity, row.corrected]),
  ).toEqual([
    [-4, 0],
    [6, 4],
  ]);
});

test.each([
  ['a boolean feature', { feature_code: 'boolean' }, 400, 'feature_not_metered'],
  ['a limit that is not counted', { feature_code: 'history' }, 400, 'feature_not_metered'],
  [
    'a time long ago',
    { timestamp: new Date(Date.now() - 36 * dayMs).toISOString() },
    400,
    'timestamp_out_of_range',
  ],
  [
    'a time to come',
    { timestamp: new Date(Date.now() + hourMs).toISOString() },
    400,
    'timestamp_out_of_range',
  ],
  ['nothing', { quantity: 0 }, 400, 'invalid_request'],
  ['a fraction', { quantity: 1.5 }, 400, 'invalid_request'],
  ['a negative quantity alone', { quantity: -1 }, 400, 'invalid_request'],
  ['too much', { quantity: 1e12 + 1 }, 400, 'invalid_request'],
  ['no id', { event_id: '' }, 400, 'invalid_request'],
  ['an unknown field', { amount: 1 }, 400, 'invalid_request'],
  ['long properties', { properties: { a: 'x'.repeat(2_100) } }, 400, 'invalid_request'],
])('refuses %s', async (_, fields, status, code) => {
  const userId = await userWith(10);
  const answer = await use(event(userId, fields));
  expect([answer.status, answer.body.code]).toEqual([status, code]);
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

test('a batch answers each for itself, in the order given', async () => {
  const userId = await userWith(3);
  const events = [
    event(userId, { quantity: 2 }),
    { ...event(userId), quantity: 'many' },
    event(userId, { quantity: 2 }),
    event(userId, { feature_code: 'boolean' }),
    event(userId, { quantity: 1 }),
  ];
  const { status, body } = await call('post', '/api/v1/usage/batch').send({ events });
  expect(status).toBe(200);
  expect(body.results).toMatchObject([
    { recorded: true, balance: { used: 2 } },
    { event_id: events[1]?.event_id, error: { code: 'invalid_request' } },
    { recorded: false, reason: 'insufficient_balance' },
    { error: { code: 'feature_not_metered' } },
    { recorded: true, balance: { used: 3 } },
  ]);
  const many = await call('post', '/api/v1/usage/batch').send({
    events: Array.from({ length: 500 }, () =>
      event(userId, { mode: 'record', properties: { a: 'x'.repeat(1_500) } }),
    ),
  });
  expect(many.body.results).toHaveLength(500);
  expect(many.body.results.at(-1)).toMatchObject({ recorded: true, balance: { used: 503, overage: 500 } });
});

test('a level is set, raised and lowered', async () => {
  const userId = await userWith(3, 'seats');
  const level = (fields: object) =>
    call('put', '/api/v1/usage/level').send({
      user_id: userId,
      feature_code: 'seats',
      event_id: randomUUID(),
      observed_at: new Date().toISOString(),
      ...fields,
    });
  expect((await level({ level: 5 })).body).toMatchObject({
    recorded: true,
    balance: { used: 5, remaining: 0 },
  });
  const old = new Date(Date.now() - hourMs).toISOString();
  expect((await level({ level: 1, observed_at: old })).body).toMatchObject({
    recorded: false,
    reason: 'stale',
  });
  const ahead = await level({ level: 1, observed_at: new Date(Date.now() + hourMs).toISOString() });
  expect([ahead.status, ahead.body.code]).toEqual([400, 'timestamp_out_of_range']);
  expect((await use(event(userId, { feature_code: 'seats' }))).body).toMatchObject({ allowed: false });
  expect((await use(event(userId, { feature_code: 'seats', quantity: -3 }))).body.balance.used).toBe(2);
  const below = await use(event(userId, { feature_code: 'seats', quantity: -3 }));
  expect([below.status, below.body.code]).toEqual([409, 'level_below_zero']);
});

describe('reservations', () => {
  const reserve = (userId: string, fields: object = {}) =>
    call('post', '/api/v1/usage/reservations').send({
      reservation_id: randomUUID(),
      user_id: userId,
      feature_code: 'calls',
      quantity: 6,
      ...fields,
    });
  const end = (id: string, verb: 'confirm' | 'release', body: object = {}) =>
    call('post', `/api/v1/usage/reservations/${id}/${verb}`).send(body);
  const get = (id: string) => call('get', `/api/v1/usage/reservations/${id}`);

  test('hold, confirm a part, and release', async () => {
    const userId = await userWith(10);
    const held = await reserve(userId);
    expect(held.body).toMatchObject({ state: 'held', allowed: true, balance: { held: 6, remaining: 4 } });
    const denied = await reserve(userId);
    expect(denied.body).toMatchObject({ state: 'denied', allowed: false, reason: 'insufficient_balance' });
    expect((await get(denied.body.reservation_id)).body.code).toBe('reservation_not_found');
    const id = held.body.reservation_id;
    expect((await get(id)).body).toMatchObject({ state: 'held', quantity: 6 });
    const confirmed = await end(id, 'confirm', { quantity: 5 });
    expect(confirmed.body).toMatchObject({
      state: 'confirmed',
      quantity: 5,
      late: false,
      balance: { used: 5, held: 0 },
    });
    expect((await end(id, 'confirm', { quantity: 5 })).body).toEqual(confirmed.body);
    const closed = await end(id, 'release');
    expect([closed.status, closed.body.code]).toEqual([409, 'reservation_closed']);
    const second = await reserve(userId, { quantity: 5 });
    expect((await end(second.body.reservation_id, 'release')).body).toMatchObject({
      state: 'released',
      balance: { used: 5, held: 0, remaining: 5 },
    });
  });

  test('the same id again, and with another body', async () => {
    const userId = await userWith(10);
    const id = randomUUID();
    const first = await reserve(userId, { reservation_id: id });
    expect((await reserve(userId, { reservation_id: id })).body).toEqual(first.body);
    const other = await reserve(userId, { reservation_id: id, quantity: 1 });
    expect([other.status, other.body.code]).toEqual([409, 'reservation_conflict']);
    const more = await end(id, 'confirm', { quantity: 11, overrun: 'deny' });
    expect([more.status, more.body.code]).toEqual([409, 'insufficient_balance']);
    expect((await get(id)).body.state).toBe('held');
    expect((await end('nothing', 'confirm')).body.code).toBe('reservation_not_found');
    const seats = await reserve(await userWith(5, 'seats'), { feature_code: 'seats' });
    expect([seats.status, seats.body.code]).toEqual([400, 'feature_not_metered']);
  });

  test('expiry is decided by the clock: released, or charged, and confirmed late', async () => {
    const userId = await userWith(10);
    const [freed, charged] = await Promise.all([
      reserve(userId, { quantity: 2, expires_in_seconds: 60 }),
      reserve(userId, { quantity: 3, expires_in_seconds: 60, on_expiry: 'charge' }),
    ]);
    api.clock.advance(61_000);
    expect((await check({ user_id: userId, feature_code: 'calls' })).body.balance).toMatchObject({
      used: 3,
      held: 0,
    });
    expect((await get(freed.body.reservation_id)).body.state).toBe('expired');
    expect((await get(charged.body.reservation_id)).body.state).toBe('charged');
    expect((await end(charged.body.reservation_id, 'confirm', { quantity: 1 })).body).toMatchObject({
      state: 'confirmed',
      late: true,
      balance: { used: 1 },
    });
    expect((await end(freed.body.reservation_id, 'confirm')).body).toMatchObject({
      late: true,
      balance: { used: 3 },
    });
  });
});

test('the series is by hours, days and months', async () => {
  const userId = await userWith(1_000);
  const at = new Date(Date.now() - 3 * dayMs).toISOString();
  await use(event(userId, { quantity: 5, mode: 'record', timestamp: at }));
  await use(event(userId, { quantity: 7 }));
  const series = async (by: string) =>
    (await call('get', '/api/v1/usage').query({ user_id: userId, feature_code: 'calls', by })).body.data;
  const days: { start: string; quantity: number }[] = await series('day');
  expect(days.map((row) => row.quantity)).toEqual([5, 7]);
  expect(days[0]?.start).toBe(`${at.slice(0, 10)}T00:00:00.000Z`);
  expect((await series('hour'))[0].start).toBe(`${at.slice(0, 13)}:00:00.000Z`);
  const months: { quantity: number }[] = await series('month');
  expect(months.reduce((sum, row) => sum + row.quantity, 0)).toBe(12);
  const from = new Date(Date.now() - dayMs).toISOString();
  const later = await call('get', '/api/v1/usage').query({ user_id: userId, feature_code: 'calls', from });
  expect(later.body.data.map((row: { quantity: number }) => row.quantity)).toEqual([7]);
});

test('events are listed page by page, newest first', async () => {
  const userId = await userWith(10);
  for (const quantity of [1, 2, 3]) await use(event(userId, { quantity }));
  const page = async (cursor?: string) =>
    (
      await call('get', '/api/v1/usage/events').query({
        user_id: userId,
        feature_code: 'calls',
        limit: 2,
        ...(cursor === undefined ? {} : { cursor }),
      })
    ).body;
  const first = await page();
  const second = await page(first.next_cursor);
  const quantities = [...first.data, ...second.data].map((row: { quantity: number }) => row.quantity);
  expect([quantities, second.next_cursor]).toEqual([[3, 2, 1], null]);
  expect(first.data[0].parts).toMatchObject([
    { source: 'manual', source_id: `grant_${userId}`, quantity: 3, overage: 0 },
  ]);
});

test('an operator adjusts, or tries it', async () => {
  const userId = await userWith(10);
  const adjust = (fields: object) =>
    api
      .http()
      .post('/api/v1/admin/usage/adjust')
      .set('authorization', `Bearer ${testAdmin.secret}`)
      .send({
        project_id: project.projectId,
        user_id: userId,
        feature_code: 'calls',
        reason: 'sorry',
        ...fields,
      });
  await use(event(userId, { quantity: 8 }));
  const tried = await adjust({ quantity: -5, dry_run: true });
  expect(tried.body).toEqual({ changes: [{ path: 'used', before: 8, after: 3 }], affected_users: 1 });
  expect((await check({ user_id: userId, feature_code: 'calls' })).body.balance.used).toBe(8);
  expect((await adjust({ quantity: -5 })).body).toMatchObject({ recorded: true, balance: { used: 3 } });
  expect((await check({ user_id: userId, feature_code: 'calls' })).body.balance.used).toBe(3);
  const once = { quantity: 4, event_id: randomUUID() };
  await adjust(once);
  expect((await adjust(once)).body).toMatchObject({ duplicate: true, balance: { used: 7 } });
  const tooLarge = await adjust({ quantity: -8 });
  expect([tooLarge.status, tooLarge.body.code]).toEqual([409, 'correction_too_large']);
  const audit = await api.deps.database.auditEntry.findMany({ where: { action: 'usage.adjust' } });
  expect(audit).toHaveLength(2);
});
