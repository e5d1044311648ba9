import { createTestDatabase, waitFor } from '@billing/testing';
import { Client } from 'pg';
import { createDatabase } from '../create-database.ts';
import type { Database } from '../create-database.ts';
import { claimDeliveries } from './claim-deliveries.ts';
import { lockUsers } from './read-emission.ts';
import { recordTries } from './record-tries.ts';
import { releaseMessages } from './release-messages.ts';
import { writeMessages } from './write-messages.ts';

const waiting = 20_000;
/** A connection plans a statement anew five times before it may keep one plan for all values. */
const times = 8;

const fillProject = `
  INSERT INTO public.projects (id, name) VALUES ('p', 'p');
  INSERT INTO public.webhook_endpoints (id, project_id, url, event_types, payload, delivery, key_id)
    VALUES ('e', 'p', 'https://example.com/', '{*}', 'full', 'latest', 'none')`;
const fillWaiting = `
  INSERT INTO public.webhook_messages (id, project_id, user_id, type, version, "full")
    SELECT 'msg_' || n, 'p', 'u' || n, 'entitlements.changed', 1, '{}' FROM generate_series(1, ${waiting}) n;
  INSERT INTO public.webhook_deliveries (message_id, endpoint_id, project_id, user_id, type, version, form, next_try_at)
    SELECT id, 'e', 'p', user_id, type, 1, 'full', now() FROM public.webhook_messages WHERE version = 1`;

const endpoint = { id: 'e', eventTypes: ['*'], payload: 'full', delivery: 'latest' } as const;

const tell = (database: Database, users: readonly string[]): Promise<unknown> =>
  database.$transactJson(async (query) => {
    await lockUsers(query, { projectId: 'p', userIds: users, waits: true });
    return writeMessages(query, {
      projectId: 'p',
      baseLine: 0,
      endpoints: [{ ...endpoint, eventTypes: [...endpoint.eventTypes] }],
      messages: users.map((userId) => ({
        userId,
        version: 2,
        body: { type: 'entitlements.changed', full: '{}', thin: null },
      })),
    });
  });

const claim = (database: Database) =>
  claimDeliveries(database, {
    takes: [{ id: 'e', take: 8 }],
    closed: [],
    claimMs: 10_000,
    firstWaitMs: 0,
    secretsOf: () => ['secret'],
  });

async function record(database: Database): Promise<void> {
  const { sendings } = await claim(database);
  const attempt = {
    at: new Date(),
    status: 204,
    durationMs: 1,
    error: null,
    response: null,
    retryAfter: null,
  };
  const tries = sendings.map((one) => ({ claim: one, attempt, decided: { outcome: 'succeeded' } as const }));
  await recordTries(database, tries, { disableAfterMs: 10_000 });
}

/** What the tables looked like when the statements were planned. */
const before = {
  'nothing was ever there': '',
  'few rows were there': `
    INSERT INTO public.webhook_messages (id, project_id, user_id, type, version, "full")
      SELECT 'old_' || n, 'p', 'old' || n, 'entitlements.changed', 0, '{}' FROM generate_series(1, 40) n;
    INSERT INTO public.webhook_deliveries (message_id, endpoint_id, project_id, user_id, type, version, form, status)
      SELECT id, 'e', 'p', user_id, type, 1, 'full', 'succeeded' FROM public.webhook_messages;
    ANALYZE public.webhook_deliveries, public.webhook_messages`,
};
const work = {
  'messages are written': (database: Database) => tell(database, ['u1', 'u10000', `u${waiting}`, 'new']),
  'deliveries are claimed': claim,
  'tries are recorded': record,
  'messages are released': (database: Database) => releaseMessages(database, ['msg_1', 'msg_2', 'none']),
};

async function countRead(client: Client): Promise<number> {
  const { rows } = await client.query<{ read: string }>(`
    SELECT sum(t.seq_tup_read + (
      SELECT sum(i.idx_tup_read) FROM pg_stat_user_indexes i WHERE i.relid = t.relid)) AS read
    FROM pg_stat_user_tables t WHERE relname IN ('webhook_deliveries', 'webhook_messages')`);
  return Number(rows[0]?.read);
}

// A change of a catalog: so many wait at once.
test.each(
  Object.entries(work).flatMap(([what, run]) =>
    Object.entries(before).map(([when, fill]) => ({ what, when, run, fill })),
  ),
)('$what without reading all that waits, by plans that were made when $when', async ({ run, fill }) => {
  const place = await createTestDatabase();
  const client = new Client({ connectionString: place.ownerUrl });
  await client.connect();
  await client.query(`${fillProject}; ${fill}`);
  const options = { poolSize: 1, connectTimeoutMs: 5_000, statementTimeoutMs: 10_000 };
  const database = createDatabase({ url: place.url, ...options });
  for (let time = 0; time < times; time += 1) await run(database);
  await client.query(fillWaiting);
  await client.query('SELECT pg_stat_force_next_flush()');
  const readBefore = await countRead(client);
  await run(database);
  // A connection that ends hands in what it counted.
  await database.$disconnect();
  await waitFor(async () => (await countRead(client)) > readBefore, { what: 'what was read' });
  expect((await countRead(client)) - readBefore).toBeLessThan(1_000);
  await client.end();
  await place.drop();
});
