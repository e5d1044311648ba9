import { createTestDatabase, waitFor } from '@billing/testing';
import { Client } from 'pg';
import { createDatabase } from '../create-database.ts';
import { claimDeliveries } from './claim-deliveries.ts';

const deliveries = 20_000;

/** As a change of the catalog writes them: of one moment. */
const fill = `
  INSERT INTO public.projects (id, name) VALUES ('p', 'p');
  INSERT INTO public.webhook_endpoints (id, project_id, url, event_types, payload, delivery, key_id)
    VALUES ('e', 'p', 'https://example.com/', '{*}', 'full', 'every', 'none');
  INSERT INTO public.webhook_messages (id, project_id, user_id, type, version, "full")
    SELECT 'msg_' || n, 'p', 'u' || n, 'entitlements.changed', 1, '{}' FROM generate_series(1, ${deliveries}) n;
  INSERT INTO public.webhook_deliveries (message_id, endpoint_id, project_id, user_id, type, version, form, next_try_at)
    SELECT id, 'e', 'p', user_id, type, 1, 'full', now() FROM public.webhook_messages`;

test('of many deliveries that are due at one moment the first are claimed without reading all', async () => {
  const place = await createTestDatabase();
  const client = new Client({ connectionString: place.ownerUrl });
  await client.connect();
  await client.query(fill);
  await client.query('VACUUM (ANALYZE) public.webhook_deliveries');
  await client.query('SELECT pg_stat_force_next_flush()');
  const database = createDatabase({
    url: place.url,
    poolSize: 1,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 10_000,
  });
  const readRows = async (): Promise<number> => {
    const { rows } = await client.query<{ read: string }>(`
      SELECT t.seq_tup_read + (
        SELECT sum(i.idx_tup_read) FROM pg_stat_user_indexes i WHERE i.relid = t.relid) AS read
      FROM pg_stat_user_tables t WHERE relname = 'webhook_deliveries'`);
    return Number(rows[0]?.read);
  };
  const before = await readRows();
  const { sendings } = await claimDeliveries(database, {
    takes: [{ id: 'e', take: 8 }],
    closed: [],
    claimMs: 10_000,
    firstWaitMs: 0,
    secretsOf: () => ['secret'],
  });
  expect(sendings).toHaveLength(8);
  // A connection that ends hands in what it counted.
  await database.$disconnect();
  await waitFor(async () => (await readRows()) > before, { what: 'what the claim read' });
  expect((await readRows()) - before).toBeLessThan(500);
  await client.end();
  await place.drop();
});
