import { waitFor } from '@billing/testing';
import { Client } from 'pg';
import { startTestApi, testAdmin } from '../../testing/start-test-api.test-support.ts';
import type { TestApi } from '../../testing/start-test-api.test-support.ts';

let api: TestApi;
let projectId: string;
beforeAll(async () => {
  api = await startTestApi({ env: { DATABASE_POOL_SIZE: '2' } });
  ({ projectId } = await api.createProject());
});
afterAll(() => api.close());

const give = async (userId: string) =>
  api
    .http()
    .post('/api/v1/admin/grant')
    .set('authorization', `Bearer ${testAdmin.secret}`)
    .send({ project_id: projectId, user_id: userId, feature_code: 'a', reason: 'test' });

/** Holds the head of the audit chain: whoever writes an audit row waits. */
async function holdAudit() {
  // A transaction sees who waits as it saw it first: another connection looks.
  const connectionString = api.database.ownerUrl;
  const [holder, watcher] = [new Client({ connectionString }), new Client({ connectionString })];
  await Promise.all([holder.connect(), watcher.connect()]);
  await holder.query('BEGIN');
  await holder.query('SELECT FROM public.audit_head FOR UPDATE');
  const countOf = async (sql: string): Promise<number> =>
    Number((await watcher.query<{ count: string }>(sql)).rows[0]?.count);
  return {
    release: () => Promise.all([holder.end(), watcher.end()]),
    untilWaiting: (count: number) =>
      waitFor(
        async () =>
          (await countOf(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
            AND wait_event_type = 'Lock' AND query LIKE '%public.audit_log%'`)) === count,
        { what: `${count} who write audit rows` },
      ),
    /** How many there were, those of transactions that have not ended too. */
    countInvalidations: () =>
      countOf(
        'SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS count FROM public.cache_invalidations_id_seq',
      ),
  };
}

test('while a grant waits for the audit chain all else of it is done', async () => {
  const audit = await holdAudit();
  const before = await audit.countInvalidations();
  const given = give('u');
  await audit.untilWaiting(1);
  expect(await audit.countInvalidations()).toBe(before + 1);
  await audit.release();
  expect((await given).status).toBe(201);
});

test('a grant that gets no connection in time is refused for a moment, and names no outage', async () => {
  const audit = await holdAudit();
  const given = [give('a'), give('b')];
  await audit.untilWaiting(2);
  const refused = await give('c');
  expect([refused.status, refused.body.code, refused.headers['retry-after']]).toEqual([
    503,
    'service_unavailable',
    '1',
  ]);
  expect(refused.body.detail).toBe('Try again in a moment: the database did not get to it in time.');
  await audit.release();
  expect((await Promise.all(given)).map(({ status }) => status)).toEqual([201, 201]);
  expect((await give('c')).status).toBe(201);
});
