import { systemClock } from '@billing/domain';
import { createMetrics } from '@billing/platform';
import { createTestDatabase } from '@billing/testing';
import type { TestDatabase } from '@billing/testing';
import { createDatabase } from './create-database.ts';
import type { Database } from './create-database.ts';
import { createClockGauge, createPoolGauges, readClockSkewMs } from './database-gauges.ts';

describe('gauges of Postgres', () => {
  const metrics = createMetrics({ service: 'test', withProcessMetrics: false });
  const valueOf = async (name: string): Promise<number | undefined> =>
    (await metrics.registry.getMetricsAsJSON()).find((one) => one.name === name)?.values[0]?.value;
  let stored: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    stored = await createTestDatabase();
    const pool = createPoolGauges(metrics);
    database = createDatabase({
      url: stored.url,
      poolSize: 1,
      connectTimeoutMs: 10_000,
      statementTimeoutMs: 10_000,
      watchPool: pool.watch,
    });
  });
  afterAll(async () => {
    await database.$disconnect();
    await stored.drop();
  });

  it('a clock that differs from the one of Postgres shows, the way there and back does not', async () => {
    expect(await readClockSkewMs({ database, clock: systemClock })).toBe(0);
    const hour = 3_600_000;
    const ahead = await readClockSkewMs({ database, clock: () => systemClock() + hour });
    const behind = await readClockSkewMs({ database, clock: () => systemClock() - hour });
    for (const found of [ahead, -behind]) {
      expect(found).toBeGreaterThan(hour - 60_000);
      expect(found).toBeLessThanOrEqual(hour);
    }
  });

  it('what waits for a connection is counted', async () => {
    await database.$queryRaw`SELECT 1`;
    expect(await valueOf('database_pool_connections')).toBe(1);
    expect(await valueOf('database_pool_waiting')).toBe(0);
    await database.$transaction(async () => {
      void Promise.allSettled([database.$queryRaw`SELECT 1`, database.$queryRaw`SELECT 1`]);
      // Prisma hands them to the driver in a later turn.
      const deadline = Date.now() + 5_000;
      while ((await valueOf('database_pool_waiting')) !== 2 && Date.now() < deadline)
        await new Promise((resolve) => setImmediate(resolve));
      expect(await valueOf('database_pool_waiting')).toBe(2);
      expect(await valueOf('database_pool_idle_connections')).toBe(0);
    });
  });

  it('without an answer there is no skew', async () => {
    const away = createMetrics({ service: 'away', withProcessMetrics: false });
    const url = 'postgresql://billing@127.0.0.1:9/billing';
    const limits = { poolSize: 1, connectTimeoutMs: 1_000, statementTimeoutMs: 1_000 };
    const nowhere = createDatabase({ url, ...limits });
    createClockGauge(away, () => readClockSkewMs({ database: nowhere, clock: systemClock }));
    expect(await away.registry.metrics()).not.toMatch(/^clock_skew_seconds /m);
    await nowhere.$disconnect();
    createClockGauge(metrics, () => readClockSkewMs({ database, clock: systemClock }));
    expect(await metrics.registry.metrics()).toMatch(/^clock_skew_seconds 0$/m);
  });
});
