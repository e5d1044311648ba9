import { createTestDatabase } from '@billing/testing';
import type { TestDatabase } from '@billing/testing';
import { Client } from 'pg';
import { createDatabase } from '../create-database.ts';
import type { Database } from '../create-database.ts';
import { listSoldPurchases } from './list-purchases.ts';
import { listSoldSubscriptions } from './list-subscriptions.ts';
import {
  correctRevenueDay,
  countDayChanges,
  deleteRevenueDays,
  findProjectsToCount,
  listRevenueDays,
  writeRevenueDay,
} from './revenue-days.ts';

const rows = 40_000;
let place: TestDatabase;
let database: Database;
let client: Client;

/** One project has nearly all of it, the other some; most rows are old. */
const fill = `
  INSERT INTO public.projects (id, name) VALUES ('p', 'p'), ('q', 'q');
  INSERT INTO public.users (id, project_id, user_id)
  SELECT n, CASE WHEN n % 1000 = 0 THEN 'q' ELSE 'p' END, 'u_' || n FROM generate_series(1, ${rows}) n;
  INSERT INTO public.subscriptions (id, user_ref, status, stripe_customer_id, created_at, start_date, ended_at)
  SELECT 'sub_' || n, n, CASE WHEN n % 500 = 1 THEN 'canceled' ELSE 'active' END, 'cus_' || n, at, at,
    CASE WHEN n % 500 = 1 THEN at + interval '30 seconds' END
  FROM generate_series(1, ${rows}) n, LATERAL (SELECT timestamptz '2026-11-22 12:00Z' - make_interval(mins => ${rows} - n) AS at) moment;
  INSERT INTO public.purchases (id, user_ref, status, paid_at, session_id, stripe_customer_id, invoice_id, created_at)
  SELECT 'pi_' || n, n, 'paid', now(), 'cs_' || n, 'cus_' || n, CASE WHEN n % 2 = 0 THEN 'in_' || n END,
    timestamptz '2026-11-22 12:00Z' - make_interval(mins => ${rows} - n)
  FROM generate_series(1, ${rows}) n;
  INSERT INTO public.object_owners (object_id, project_id, user_ref, source)
  SELECT 'sub_' || n, 'q', 1000, 'mapping' FROM generate_series(1, ${rows}) n WHERE n % 1000 = 7`;

beforeAll(async () => {
  place = await createTestDatabase();
  client = new Client({ connectionString: place.ownerUrl });
  await client.connect();
  await client.query(fill);
  for (const table of ['users', 'subscriptions', 'purchases', 'object_owners'])
    await client.query(`VACUUM (ANALYZE) public.${table}`);
  database = createDatabase({
    url: place.url,
    poolSize: 1,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 10_000,
  });
});
afterAll(async () => {
  await database.$disconnect();
  await client.end();
  await place.drop();
});

/** How often the tables were read whole. */
async function wholeReads(): Promise<number> {
  await database.$queryRaw`SELECT 1 FROM pg_stat_force_next_flush()`;
  const { rows: found } = await client.query<{ scans: string }>(`
    SELECT sum(seq_scan) AS scans FROM pg_stat_user_tables WHERE relname IN ('subscriptions', 'purchases')`);
  return Number(found[0]?.scans);
}

test('no page of a list reads all that was ever sold', async () => {
  const before = await wholeReads();
  const page = { limit: 20, onlyProject: null };
  const first = await listSoldSubscriptions(database, page);
  expect(first.rows.map(({ id }) => id).slice(0, 2)).toEqual([`sub_${rows}`, `sub_${rows - 1}`]);
  const filters = [
    page,
    { ...page, cursor: first.nextCursor ?? '' },
    { ...page, project_id: 'p' },
    { ...page, project_id: 'q' },
    { ...page, onlyProject: 'q' },
    { ...page, user_id: 'u_7' },
    { ...page, stripe_customer_id: 'cus_8' },
    { ...page, status: 'canceled' },
  ];
  // Past the fifth time a connection may keep one plan for all values.
  for (let round = 0; round < 7; round += 1)
    for (const filter of filters) {
      await listSoldSubscriptions(database, filter);
      await listSoldPurchases(database, 'status' in filter ? { ...filter, status: 'paid' } : filter);
    }
  await countDayChanges(database, { since: '2026-11-22' });
  expect(await wholeReads()).toBe(before);
});

test('what began and ended is counted by project and day', async () => {
  const changes = await countDayChanges(database, { since: '2026-11-22' });
  const day = '2026-11-22';
  // Midnight to noon, one a minute; that of noon is of the other project.
  expect(changes.toSorted((a, b) => (a.projectId < b.projectId ? -1 : 1))).toEqual([
    { projectId: 'p', day, begun: 720, ended: 1 },
    { projectId: 'q', day, begun: 1, ended: 0 },
  ]);
});

test('a day is written anew while it lasts, corrected when it is over, and deleted in time', async () => {
  const numbers = { active: 3, trialing: 1, total: 5, statuses: { active: 3, trialing: 1, past_due: 1 } };
  const metrics = { ...numbers, mrr: [{ currency: 'usd', amount: 1_900 }], main: null };
  const at = new Date('2026-11-22T10:00:00.000Z');
  const day = { projectId: 'p', day: '2026-11-22' };
  const due = (writtenBefore: Date) => findProjectsToCount(database, { day: day.day, writtenBefore });
  expect(await due(at)).toEqual({ projectIds: ['p', 'q'], hasMore: false });
  await writeRevenueDay(database, { ...day, metrics, changes: { begun: 1, ended: 0 }, now: at });
  expect((await due(at)).projectIds).toEqual(['q']);
  expect((await due(new Date(at.getTime() + 1))).projectIds).toEqual(['p', 'q']);
  const later = new Date('2026-11-22T10:10:00.000Z');
  await writeRevenueDay(database, {
    ...day,
    metrics: { ...metrics, mrr: [] },
    changes: { begun: 2, ended: 1 },
    now: later,
  });
  await correctRevenueDay(database, { ...day, begun: 2, ended: 2 });
  const list = (from: string, to: string) => listRevenueDays(database, { projectId: 'p', from, to });
  expect(await list('2026-11-22', '2026-11-22')).toMatchObject([
    { ...numbers, day: '2026-11-22', mrr: [], begun: 2, ended: 2, writtenAt: later },
  ]);
  expect(await list('2026-11-23', '2026-11-30')).toEqual([]);
  expect(await deleteRevenueDays(database, { before: '2026-11-22' })).toBe(0);
  expect(await deleteRevenueDays(database, { before: '2026-11-23' })).toBe(1);
});
