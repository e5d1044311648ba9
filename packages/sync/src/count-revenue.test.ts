import { dayMs, minuteMs } from '@billing/domain';
import { createDatabase, listRevenueDays } from '@billing/store';
import type { Database } from '@billing/store';
import { createTestDatabase } from '@billing/testing';
import type { TestDatabase } from '@billing/testing';
import { countRevenue, deleteOldRevenue } from './count-revenue.ts';

const noon = Date.parse('2026-11-22T12:00:00.000Z');
let now = noon;
let place: TestDatabase;
let database: Database;

beforeAll(async () => {
  place = await createTestDatabase();
  database = createDatabase({
    url: place.url,
    poolSize: 2,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 10_000,
  });
  await database.project.create({ data: { id: 'p', name: 'p' } });
  const user = await database.user.create({ data: { projectId: 'p', userId: 'u' } });
  await database.product.create({ data: { projectId: 'p', productId: 'x', name: 'x', featureCodes: [] } });
  const price = { amount: 1_000n, currency: 'usd', interval: 'month', stripePriceId: 'price' };
  await database.price.create({ data: { projectId: 'p', priceId: 'm', productId: 'x', ...price } });
  const subscription = { userRef: user.id, createdAt: new Date(noon), startDate: new Date(noon) };
  await database.subscription.create({ data: { id: 'sub', status: 'active', ...subscription } });
  await database.subscription.create({ data: { id: 'sub_unpaid', status: 'incomplete', ...subscription } });
  await database.subscriptionItem.create({
    data: { subscriptionId: 'sub', itemId: 'si', stripePriceId: 'price', quantity: 2n },
  });
});
afterAll(async () => {
  await database.$disconnect();
  await place.drop();
});

const usage = { pastDueGraceDays: 7, renewalAllowanceMs: 0, lateMs: 0, retentionMs: 0, seriesMs: 0 };
const telling = { derivation: usage, fanOutPerSecond: 1, boundariesPerSecond: 1 };
const count = () => countRevenue({ database, clock: () => now, telling }, new AbortController().signal);
const days = () => listRevenueDays(database, { projectId: 'p', from: '2026-11-01', to: '2026-12-31' });

test('each day keeps its last row, and what came late for the day before', async () => {
  expect(await count()).toBe('rest');
  const first = { day: '2026-11-22', mrr: [{ currency: 'usd', amount: 2_000 }], begun: 1, ended: 0 };
  expect(await days()).toMatchObject([
    { ...first, active: 1, total: 2, statuses: { active: 1, incomplete: 1 }, writtenAt: new Date(noon) },
  ]);
  now = noon + minuteMs;
  await count();
  // It is new enough.
  expect(await days()).toMatchObject([{ writtenAt: new Date(noon) }]);

  now = noon + dayMs;
  const ended = { status: 'canceled', endedAt: new Date(noon + 2 * minuteMs) };
  await database.subscription.update({ where: { id: 'sub' }, data: ended });
  await count();
  expect(await days()).toMatchObject([
    { ...first, ended: 1, writtenAt: new Date(noon) },
    { day: '2026-11-23', mrr: [], active: 0, begun: 0, ended: 0 },
  ]);

  now = noon + 2_000 * dayMs;
  await deleteOldRevenue({ database, clock: () => now });
  expect(await days()).toEqual([]);
});
