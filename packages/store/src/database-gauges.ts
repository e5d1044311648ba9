import type { Clock } from '@billing/domain';
import { withDeadline } from '@billing/platform';
import type { Metrics } from '@billing/platform';
import type { Database, PoolState } from './create-database.ts';

/** Gauges of the pool, read at each scrape; none before there is one. */
export function createPoolGauges({ measured }: Pick<Metrics, 'measured'>): {
  watch: (read: () => PoolState) => void;
} {
  let state: (() => PoolState) | undefined;
  measured('database_pool_connections', 'Open connections to Postgres', () => state?.().open);
  measured('database_pool_idle_connections', 'Open connections that nothing uses', () => state?.().idle);
  measured('database_pool_waiting', 'Queries that wait for a free connection now', () => state?.().waiting);
  return { watch: (read) => void (state = read) };
}

type ClockDeps = { database: Pick<Database, '$queryRaw'>; clock: Clock };

/**
 * Milliseconds by which this process's clock is ahead of Postgres's, negative: behind. What the round trip explains does not
 * count, however long it took.
 */
export async function readClockSkewMs({ database, clock }: ClockDeps): Promise<number> {
  const before = clock();
  const [row] = await database.$queryRaw<{ now: Date }[]>`SELECT clock_timestamp() AS now`;
  const after = clock();
  const now = row?.now.getTime() ?? after;
  return Math.max(0, before - now) + Math.min(0, after - now);
}

/** A scrape may read the metrics more than once. */
const keptMs = 2_000;
const deadlineMs = 1_000;

/** A gauge that is read at each scrape; none while Postgres is away. Of the processes on one machine it is the mean. */
export function createClockGauge(
  { measured }: Pick<Metrics, 'measured'>,
  readMs: () => Promise<number>,
): void {
  let read: Promise<number | undefined> = Promise.resolve(undefined);
  let readAt = -Infinity;
  const readSeconds = (): Promise<number | undefined> =>
    withDeadline(readMs(), {
      ms: deadlineMs,
      onTimeout: () => new Error('Postgres did not tell its time'),
    }).then(
      (ms) => ms / 1_000,
      () => undefined,
    );
  const help =
    "Seconds that this process's clock is ahead of Postgres's, beyond what the round trip explains";
  measured('clock_skew_seconds', help, () => {
    if (performance.now() - readAt > keptMs) {
      readAt = performance.now();
      read = readSeconds();
    }
    return read;
  });
}
