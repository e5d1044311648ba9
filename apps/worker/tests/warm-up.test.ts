import { createDatabase } from '@billing/store';
import { warmEvents } from '@billing/sync';
import { startTestWorker } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';

let world: TestWorker;
beforeAll(async () => {
  world = await startTestWorker();
});
afterAll(() => world.close());

/** How often a connection kept one plan for all values, by what each of its prepared statements writes. */
const plansKept = `
  SELECT statement LIKE '%written_subscriptions%' AS writes, statement LIKE '%written_subscription_items%' AS "writesItems",
    generic_plans > 0 AS "isKept"
  FROM pg_prepared_statements WHERE statement LIKE '%MATERIALIZED%' ORDER BY writes, "writesItems"`;

const stored = async () => [
  await world.database.stripeEvent.count(),
  await world.database.subscription.count(),
  await world.database.cacheInvalidation.count(),
];

describe('a worker that starts', () => {
  it('has planned the statements of a lone event, and has stored nothing', async () => {
    const before = await stored();
    const database = createDatabase({
      url: world.config.databaseUrl,
      poolSize: 1,
      connectTimeoutMs: 5_000,
      statementTimeoutMs: 10_000,
    });
    await warmEvents({ ...world.worker().deps, database }, { rounds: 12, ms: 20_000 });
    expect(await database.$queryRawUnsafe(plansKept)).toEqual([
      { writes: false, writesItems: false, isKept: true },
      { writes: true, writesItems: false, isKept: true },
      { writes: true, writesItems: true, isKept: true },
    ]);
    await database.$disconnect();
    expect(await stored()).toEqual(before);
  });
});
