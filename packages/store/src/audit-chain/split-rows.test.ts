import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { migrate, readMigrationNames } from '@billing/platform';
import { createTestDatabase } from '@billing/testing';
import { Client } from 'pg';
import { listAudit } from '../audit.ts';
import { openDatabase } from './audit-chain.test-support.ts';
import { verifyAudit } from './verify-audit.ts';

const migrations = fileURLToPath(new URL('../../../../prisma/migrations', import.meta.url));
const chain = '20261128162000_audit_chain';

/** The migrations from before the chain. */
async function earlierMigrations(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'billing-migrations-'));
  const later = (await readMigrationNames()).filter((name) => name >= chain);
  await cp(migrations, dir, { recursive: true, filter: (path) => !later.includes(basename(path)) });
  return dir;
}

test('rows from before the chain keep their ids and what they say, and begin the chain', async () => {
  const place = await createTestDatabase();
  const name = new URL(place.ownerUrl).pathname.slice(1);
  const url = new URL(place.ownerUrl);
  url.pathname = `/${name}_old`;
  await place.asOwner(`CREATE DATABASE ${name}_old`);
  const migrationsDir = await earlierMigrations();
  await migrate({ databaseUrl: url.href, migrationsDir });
  const client = new Client({ connectionString: url.href });
  await client.connect();
  await client.query(`
    INSERT INTO public.audit_log (id, actor, action, project_id, target_type, target_id, reason, details, request_id)
    SELECT 2 * n, 'ann', 'grant.create', 'shop', 'grant', 'grant_' || n, CASE WHEN n % 2 = 0 THEN 'even' END,
      jsonb_build_object('n', n), 'request_' || n FROM generate_series(1, 50) AS n`);
  const { applied } = await migrate({ databaseUrl: url.href });
  expect(applied).toContain(chain);
  const database = openDatabase(url.href);
  await database.$executeRaw`
    INSERT INTO public.audit_log (actor, action, target_type, target_id) VALUES ('bob', 'project.create', 'project', 'new')`;
  expect(await verifyAudit(database, [])).toMatchObject({ rows: 51, head: { id: 101n }, problem: null });
  const { rows } = await listAudit(database, { limit: 100 });
  expect(rows).toHaveLength(51);
  expect(rows[0]).toMatchObject({ id: 101n, actor: 'bob', targetId: 'new', details: {} });
  expect(rows[1]).toMatchObject({ id: 100n, targetId: 'grant_50', reason: 'even', details: { n: 50 } });
  expect(rows[2]).toMatchObject({ id: 98n, targetId: 'grant_49', reason: null, requestId: 'request_49' });
  const readable = await client.query(
    "SELECT FROM public.audit_log WHERE target_id <> '' OR reason IS NOT NULL OR details <> '{}'",
  );
  expect(readable.rowCount).toBe(0);
  await client.end();
  await database.$disconnect();
  await rm(migrationsDir, { recursive: true });
  await place.asOwner(`DROP DATABASE ${name}_old WITH (FORCE)`);
  await place.drop();
}, 60_000);
