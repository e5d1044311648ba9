import { join } from 'node:path';
import { migrate } from '@billing/platform';
import { startPgBouncer, waitFor } from '@billing/testing';
import type { PgBouncer } from '@billing/testing';
import { Client } from 'pg';
import { bodyOf, featuresOf } from '../faults/support/api-client.ts';
import { inQuick } from '../faults/support/run-options.ts';
import { takePort } from '../faults/support/service-process.ts';
import { openShop, uniqueId } from '../faults/support/shop.ts';
import type { Shop } from '../faults/support/shop.ts';
import { startStack } from '../faults/support/stack.ts';
import type { Stack } from '../faults/support/stack.ts';
import { untilLikeStripe } from '../faults/support/checks.ts';

let stack: Stack;
let bouncer: PgBouncer;
let shop: Shop;

/** Fewer than the processes have connections: each transaction gets the session that is free. */
const sessions = 4;

beforeAll(async () => {
  const port = await takePort();
  stack = await startStack({
    isStarted: false,
    env: {
      DATABASE_URL: `postgresql://postgres@127.0.0.1:${port}/billing`,
      DATABASE_POOL_SIZE: '8',
      DATABASE_CONNECTION_SECONDS: '5-10',
      ENTITLEMENT_CACHE_TTL_SECONDS: '1',
      LOG_LEVEL: 'warn',
    },
  });
  bouncer = await startPgBouncer({
    dir: join(stack.dir, 'pgbouncer'),
    port,
    targetUrl: stack.database.url,
    settings: { default_pool_size: sessions },
  });
  await stack.startProcesses();
  shop = await openShop(stack);
});
afterAll(async () => {
  await stack.close();
  await bouncer.stop();
});

it('all processes are ready: what PgBouncer refuses at the start of a connection changes no result', async () => {
  for (const { readiness } of [...stack.apis, ...stack.workers])
    expect(await readiness()).toEqual({ status: 200, checks: expect.objectContaining({ database: 'ok' }) });
});

/** On a busy machine a read may miss its deadline (503): what counts is that no answer is another's. */
const check = (client: Stack['clients'][number], userId: string) =>
  waitFor(
    async () => {
      const answer = await client.check(shop.apiKey, userId);
      return answer.status === 503 ? undefined : answer;
    },
    { what: 'a check', intervalMs: 200 },
  );

it('each of many calls of two processes gets the answer of its own statement', async () => {
  const rounds = inQuick(10, 60);
  const users = Array.from({ length: 20 }, (_, index) => ({
    userId: uniqueId('user'),
    code: `feature_${index}`,
  }));
  const wrong: string[] = [];
  await Promise.all(users.map(({ userId, code }) => shop.grant(userId, code)));

  async function call(client: Stack['clients'][number], index: number): Promise<void> {
    const { userId, code } = users[index % users.length] ?? { userId: '', code: '' };
    const answer = await check(client, userId);
    if (answer.status !== 200 || featuresOf(answer).join(',') !== code)
      wrong.push(`check of ${code}: ${answer.status} ${JSON.stringify(bodyOf(answer))}`);
    // A user of its own: a write, and a read that no cache answers.
    const fresh = uniqueId('user');
    const granted = await shop.grant(fresh, code, client).catch((error: unknown) => String(error));
    const [other = client] = stack.clients.filter((one) => one !== client);
    const read = await check(other, fresh);
    if (read.status !== 200 || featuresOf(read).join(',') !== code)
      wrong.push(`fresh check of ${code} (${granted}): ${read.status} ${JSON.stringify(bodyOf(read))}`);
    const listed = await client
      .admin('GET', `/users/${shop.projectId}/${fresh}`)
      .catch((error: unknown) => String(error));
    if (!JSON.stringify(listed).includes(fresh)) wrong.push(`user ${fresh}: ${JSON.stringify(listed)}`);
  }

  for (let round = 0; round < rounds; round += 1)
    await Promise.all(
      stack.clients.flatMap((client) => users.slice(0, 6).map((_, index) => call(client, round + index))),
    );
  expect(wrong).toEqual([]);
});

it('events are applied, and both processes answer by them', async () => {
  await shop.subscribeMany(inQuick(10, 40));
  await untilLikeStripe(stack, shop, { timeoutMs: 60_000 });
});

it("statements have no names: one would be another process's in the next transaction", async () => {
  // At once, so that each session of PgBouncer with Postgres gets one of them.
  const counts = await Promise.all(
    Array.from({ length: sessions }, async () => {
      const client = new Client({ connectionString: bouncer.url });
      await client.connect();
      const { rows } = await client.query<{ count: number }>(
        "SELECT count(*)::int AS count, pg_sleep(0.5) FROM pg_prepared_statements WHERE name LIKE 'billing%'",
      );
      await client.end();
      return rows[0]?.count;
    }),
  );
  expect(counts).toEqual(Array.from({ length: sessions }, () => 0));
});

it('db:migrate works through it too', async () => {
  await expect(migrate({ databaseUrl: bouncer.url })).resolves.toEqual({ applied: [], serviceRole: null });
});
