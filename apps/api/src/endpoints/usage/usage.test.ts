import { randomUUID } from 'node:crypto';
import { dayMs, hourMs } from '@billing/domain';
import { waitFor } from '@billing/testing';
import { event, startUsageApi } from './usage-api.test-support.ts';
import type { UsageApi } from './usage-api.test-support.ts';

let call: UsageApi['call'];
let check: UsageApi['check'];
let use: UsageApi['use'];
let userWith: UsageApi['userWith'];
let close: () => Promise<void>;

beforeAll(async () => {
  const started = await startUsageApi();
  ({ call, check, use, userWith } = started);
  close = () => started.api.close();
});
afterAll(() => close());

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
  const ask = () => Promise.all(users.map((userId) => use(event(userId, { event_id: id }))));
  // Of those that meet, some may be refused for a moment: sent again, all are decided.
  const answers = await waitFor(
    async () => {
      const all = await ask();
      return all.some(({ status }) => status === 503) ? null : all;
    },
    { what: 'all to be decided' },
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(7);
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

test.each([
  ['a prototype in its properties', '"properties":{"__proto__":{"admin":true}}'],
  ['a prototype deep inside', '"properties":{"a":[{"__proto__":1}]}'],
  ['a prototype as its own field', '"__proto__":{"mode":"record"}'],
  ['100,000 levels of brackets', `"properties":${'['.repeat(100_000)}${']'.repeat(100_000)}`],
])('an entry with %s is refused by itself', async (_what, field) => {
  const userId = await userWith(10);
  const [before, after] = [event(userId), event(userId)];
  const bad = JSON.stringify(event(userId, { event_id: 'bad' })).replace(/\}$/, `,${field}}`);
  const { status, body } = await call('post', '/api/v1/usage/batch')
    .set('content-type', 'application/json')
    .send(`{"events":[${JSON.stringify(before)},${bad},${JSON.stringify(after)}]}`);
  expect(status).toBe(200);
  expect(body.results).toMatchObject([
    { recorded: true },
    { event_id: 'bad', error: { code: 'invalid_request' } },
    { recorded: true, balance: { used: 2 } },
  ]);
  const outside = await call('post', '/api/v1/usage/batch')
    .set('content-type', 'application/json')
    .send(`{"events":[${JSON.stringify(event(userId))}],"__proto__":{}}`);
  expect([outside.status, outside.body.code]).toEqual([400, 'invalid_request']);
});

test('properties may name what every object has', async () => {
  const userId = await userWith(10);
  const answer = await use(event(userId, { properties: { constructor: { prototype: 1 }, toString: 'x' } }));
  expect(answer.body).toMatchObject({ recorded: true });
});
