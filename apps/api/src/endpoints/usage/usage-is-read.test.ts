import { randomUUID } from 'node:crypto';
import { dayMs, hourMs } from '@billing/domain';
import { testAdmin } from '../../testing/start-test-api.test-support.ts';
import { event, startUsageApi } from './usage-api.test-support.ts';
import type { UsageApi } from './usage-api.test-support.ts';

let api: UsageApi['api'];
let project: UsageApi['project'];
let call: UsageApi['call'];
let check: UsageApi['check'];
let use: UsageApi['use'];
let userWith: UsageApi['userWith'];
let close: () => Promise<void>;

beforeAll(async () => {
  const started = await startUsageApi();
  ({ api, project, call, check, use, userWith } = started);
  close = () => started.api.close();
});
afterAll(() => close());

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

describe('the bounds of a series are moments', () => {
  const quarter = 15 * 60_000;
  /** An hour ago, in the middle of a quarter of an hour. */
  const middle = Math.floor((Date.now() - 4 * quarter) / quarter) * quarter + 7 * 60_000;
  const taken = new Map([
    [middle - quarter, 1],
    [middle - 1, 10],
    [middle, 100],
    [middle + 1, 1_000],
    [middle + quarter, 10_000],
    [middle + 2 * quarter, 100_000],
  ]);
  let userId: string;
  beforeAll(async () => {
    userId = await userWith(1_000_000);
    for (const [at, quantity] of taken)
      await use(event(userId, { quantity, mode: 'record', timestamp: new Date(at).toISOString() }));
  });

  const sumOf = async (bounds: Record<string, number>): Promise<number> => {
    const moments = Object.entries(bounds).map(([name, at]) => [name, new Date(at).toISOString()]);
    const query = { user_id: userId, feature_code: 'calls', by: 'hour', ...Object.fromEntries(moments) };
    const { body } = await call('get', '/api/v1/usage').query(query).expect(200);
    return body.data.reduce((sum: number, row: { quantity: number }) => sum + row.quantity, 0);
  };

  test.each<[string, Record<string, number>, number]>([
    ['none', {}, 111_111],
    ['from is inclusive', { from: middle }, 111_100],
    ['from a millisecond later', { from: middle + 1 }, 111_000],
    ['to is exclusive', { to: middle }, 11],
    ['to a millisecond later', { to: middle + 1 }, 111],
    ['both in one quarter of an hour', { from: middle - 1, to: middle + 1 }, 110],
    ['whole quarters between', { from: middle, to: middle + 2 * quarter }, 11_100],
    ['whole quarters only', { from: middle - 7 * 60_000, to: middle + 8 * 60_000 }, 1_110],
    ['nothing between', { from: middle, to: middle }, 0],
    ['the wrong way round', { from: middle + quarter, to: middle }, 0],
  ])('%s', async (_what, bounds, sum) => {
    expect(await sumOf(bounds)).toBe(sum);
  });

  test('where the events are gone, the quarter of an hour counts as a whole', async () => {
    const start = new Date('2020-01-01T10:00:00Z');
    const key = { projectId: project.projectId, userId, featureCode: 'calls' };
    await api.deps.database.usageSlot.create({ data: { ...key, start, quantity: 7n, overage: 0n } });
    const within = { from: start.getTime() + 60_000, to: start.getTime() + 120_000 };
    expect(await sumOf(within)).toBe(7);
    expect(await sumOf({ from: start.getTime() - 60_000, to: start.getTime() + 60_000 })).toBe(7);
  });
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
