import { createTestDatabase, waitFor } from '@billing/testing';
import { Client } from 'pg';
import { readOverview } from './console/read-overview.ts';
import { countEvents } from './console/samples.ts';
import { createDatabase } from './create-database.ts';
import type { Database } from './create-database.ts';
import { findWaiting } from './customers/waiting-events.ts';
import { readEventDetail } from './event-detail.ts';
import { createErasureKeys } from './erasure/erasure-keys.ts';
import { erasePayloads } from './event-payloads/erase-payloads.ts';
import { hasPayloadsToMove, movePayloads } from './event-payloads/move-payloads.ts';
import {
  deleteFinishedEvents,
  findLedgerEvents,
  findRecorded,
  getLedgerEvent,
  listEvents,
} from './ledger.ts';
import { listQuarantine } from './list-quarantine.ts';
import { findUsers } from './users/find-users.ts';
import { listTimeline } from './users/list-timeline.ts';

const rows = 60_000;
/** A connection plans a statement anew five times before it may keep one plan for all values. */
const times = 8;

const fill = `
  INSERT INTO public.projects (id, name) VALUES ('p', 'p'), ('q', 'q');
  INSERT INTO public.users (id, project_id, user_id) VALUES (1, 'p', 'u');
  INSERT INTO public.subscriptions (id, user_ref) VALUES ('sub_4', 1), ('sub_5', 1);
  INSERT INTO public.stripe_events (event_id, type, object_id, project_id, status, reason, awaits, created, received_at,
    processed_at, payload, trace_id)
  SELECT 'evt_' || md5(n::text), 'x', 'sub_' || n % 5000, CASE WHEN n % 1000 = 0 THEN 'q' ELSE 'p' END,
    CASE WHEN n % 2000 = 1 THEN 'quarantined' WHEN n % 2000 = 2 THEN 'failed' WHEN n % 100 = 3 THEN 'stale' ELSE 'applied' END,
    CASE WHEN n % 2000 = 1 THEN 'unknown_customer' WHEN n % 2000 = 2 THEN 'processing_failed' END,
    CASE WHEN n % 2000 = 1 THEN 'cus_' || n END, at, at, at, CASE WHEN n % 1000 = 5 THEN '{}'::jsonb END, CASE WHEN n % 500 = 7 THEN md5(n::text) END
  FROM generate_series(1, ${rows}) n, LATERAL (SELECT now() - make_interval(secs => ${rows} - n) AS at) moment`;

/** Every way in which the ledger is read. */
async function readEverything(database: Database): Promise<void> {
  const actor = { name: 'tester', requestId: null };
  const page = { limit: 50 };
  const first = await listEvents(database, page);
  const cursor = first.nextCursor ?? undefined;
  for (const query of [
    page,
    { ...page, cursor },
    { ...page, onlyProject: 'q' },
    { ...page, object_id: 'sub_1' },
    // The digest of 7.
    { ...page, trace_id: '8f14e45fceea167a5a36dedd4bea2543' },
  ])
    await listEvents(database, query);
  for (const status of ['applied', 'stale', 'quarantined', 'failed'] as const)
    await listEvents(database, { ...page, status });
  await listQuarantine(database, page);
  await findLedgerEvents(database, { objectId: 'sub_2', from: null, to: null, after: null, limit: 50 });
  await findRecorded(database, ['evt_none', first.rows[0]?.eventId ?? '']);
  await getLedgerEvent(database, first.rows[1]?.eventId ?? '');
  await findUsers(database, { query: 'sub_3' }, { actor, erasureKeys: createErasureKeys([]) });
  const user = { projectId: 'p', userId: 'u' };
  const events = await listTimeline(database, { ...user, query: { limit: 5 } }, { actor });
  const query = { limit: 5, cursor: events.nextCursor ?? '' };
  expect((await listTimeline(database, { ...user, query }, { actor })).rows).toHaveLength(5);
  await readEventDetail(database, { eventId: first.rows[1]?.eventId ?? '', onlyProject: null });
  await database.$transaction((tx) => findWaiting(tx, ['cus_1', 'cus_2001']));
  await database.$transaction((tx) => erasePayloads(tx, ['evt_none']));
  await hasPayloadsToMove(database);
  await countEvents(database, { from: Date.now() - 10_000, to: Date.now() });
  await readOverview(database, { mode: 'test' });
}

test('no read of the ledger scans it, and each of its indexes serves one', async () => {
  const place = await createTestDatabase();
  const client = new Client({ connectionString: place.ownerUrl });
  await client.connect();
  await client.query(fill);
  await client.query('VACUUM (ANALYZE) public.stripe_events');
  const database = createDatabase({
    url: place.url,
    poolSize: 1,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 10_000,
  });
  const scans = async (): Promise<{ whole: number; unused: string[] }> => {
    const { rows: found } = await client.query<{ name: string; scans: string }>(`
      SELECT indexrelname AS name, idx_scan AS scans FROM pg_stat_user_indexes WHERE relname = 'stripe_events'
      UNION ALL SELECT 'whole', seq_scan FROM pg_stat_user_tables WHERE relname = 'stripe_events'`);
    return {
      whole: Number(found.find(({ name }) => name === 'whole')?.scans),
      unused: found
        .filter(({ name, scans: count }) => name !== 'whole' && count === '0')
        .map(({ name }) => name),
    };
  };
  await client.query('SELECT pg_stat_force_next_flush()');
  const { whole: before } = await scans();
  for (let round = 0; round < times; round += 1) await readEverything(database);
  const after = { receivedAt: new Date(0), eventId: '' };
  expect((await movePayloads(database, { after, keptSince: 0 })).moved).toBe(rows / 1000);
  const halfway = new Date(Date.now() - (rows / 2) * 1000);
  expect(await deleteFinishedEvents(database, { before: halfway })).toEqual({
    deleted: 2_000,
    hasMore: true,
  });
  // A connection that ends hands in what it counted.
  await database.$disconnect();
  await waitFor(async () => (await scans()).unused.length === 0, { what: 'a use of every index' }).catch(
    () => undefined,
  );
  expect(await scans()).toEqual({ whole: before, unused: [] });
  await client.end();
  await place.drop();
});
