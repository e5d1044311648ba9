import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '@billing/platform';
import { Client } from 'pg';
import { inQuick } from '../faults/support/run-options.ts';
import { openShop, uniqueId } from '../faults/support/shop.ts';
import { startStack } from '../faults/support/stack.ts';
import type { Stack } from '../faults/support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

/** A read of whole tables that a report makes, for so long. */
async function readFor(ms: number): Promise<void> {
  const reader = new Client({ connectionString: stack.database.url });
  await reader.connect();
  await reader.query('SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM grants), pg_sleep($1)', [
    ms / 1_000,
  ]);
  await reader.end();
}

it('a migration beside a long reader delays nobody but itself', async () => {
  const shop = await openShop(stack);
  const users = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const userId = uniqueId('user');
      await shop.grant(userId, 'pro');
      return userId;
    }),
  );
  const migrationsDir = await mkdtemp(join(tmpdir(), 'billing-migrations-'));
  const name = '20990101000000_topologies';
  await mkdir(join(migrationsDir, name));
  await writeFile(
    join(migrationsDir, name, 'migration.sql'),
    'ALTER TABLE public.grants ADD COLUMN topologies TEXT;\nALTER TABLE public.users ADD COLUMN topologies TEXT;\n',
  );
  const startedAt = performance.now();
  const readerMs = inQuick(8_000, 18_000);
  const reader = { isDone: false };
  const read = readFor(readerMs).finally(() => {
    reader.isDone = true;
  });
  await sleep(500);
  const migrated = migrate({ databaseUrl: stack.database.url, migrationsDir });

  const answers: { status: number; ms: number }[] = [];
  const cold = () => uniqueId('nobody');
  while (!reader.isDone) {
    // Some are in the cache, some are nobody's: those are read from the tables.
    const asked = [users[answers.length % users.length] ?? '', cold(), cold()];
    answers.push(...(await Promise.all(asked.map((userId) => stack.anyApi.check(shop.apiKey, userId)))));
    await sleep(50);
  }
  await read;
  expect((await migrated).applied).toEqual([name]);
  expect(performance.now() - startedAt).toBeLessThan(readerMs + 10_000);

  expect(answers.length).toBeGreaterThan(readerMs / 100);
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(1_000);
  const { rows } = await stack.database.pool.query(
    'SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NULL OR rolled_back_at IS NOT NULL',
  );
  expect(rows).toEqual([]);
  await rm(migrationsDir, { recursive: true });
});
