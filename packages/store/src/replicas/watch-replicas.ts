import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '@billing/domain';
import type { Clock, Instant } from '@billing/domain';
import { placeOf, startLoop, withDeadline } from '@billing/platform';
import type { Logger, Metrics } from '@billing/platform';
import { createDatabase } from '../create-database.ts';
import type { Database, DatabaseOptions } from '../create-database.ts';
import { Prisma } from '../generated/client.ts';
import { addSample, dataAsOf } from './replica-lag.ts';
import type { PrimarySample, ReplicaPosition } from './replica-lag.ts';

const measureEveryMs = 1_000;
/** A server that takes longer to say where it is serves nobody. */
const answerWithinMs = 1_000;
/** What was measured counts for so long: the loop may be held up itself. */
const measuredForMs = 3_000;
/** A replica is a few milliseconds behind; it is asked again before a second of lag is believed. */
const [tries, pauseMs] = [3, 40];

export type Read<T> = {
  result: T;
  /** Up to when the result has every change; null: the primary gave it. */
  asOf: Instant | null;
};

/** Replicas of the primary, for what may be some seconds old. */
export type Replicas = {
  /**
   * Runs a read on a replica that lags less than is allowed, else on the primary; there too where the replica fails. `work`
   * must change nothing. Its ServiceErrors are answers.
   */
  read: <T>(work: (database: Database) => Promise<T>) => Promise<Read<T>>;
  /** Ends measuring, and the connections. */
  close: () => Promise<void>;
};

export type ReplicasOptions = {
  primary: Database;
  urls: readonly string[];
  maxLagMs: number;
  /** Of the connections to each. */
  connections: Omit<DatabaseOptions, 'url' | 'mayBeReplica'>;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
};

type Replica = {
  name: string;
  database: Database;
  /** Up to when it has every change, as far as is known. */
  asOf: Instant | null;
  measuredAt: Instant;
  isUsed: boolean;
};

async function samplePrimary(primary: Database, at: Instant): Promise<PrimarySample> {
  const { position, timeline } = await primary.$queryJson<{ position: string; timeline: string }>(Prisma.sql`
    SELECT json_build_object('position', pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::text,
      'timeline', left(pg_walfile_name(pg_current_wal_lsn()), 8))`);
  return { at, position: BigInt(position), timeline: Number.parseInt(timeline, 16) };
}

/** Null: it is no replica (any longer). */
async function positionOf(replica: Database): Promise<ReplicaPosition | null> {
  const { position, timeline } = await replica.$queryJson<{ position: string | null; timeline: number }>(
    Prisma.sql`
      SELECT json_build_object(
        'position', CASE WHEN pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::text END,
        'timeline', greatest((SELECT received_tli FROM pg_stat_wal_receiver),
          (SELECT min_recovery_end_timeline FROM pg_control_recovery())))`,
  );
  return position === null ? null : { position: BigInt(position), timeline };
}

const within = <T>(work: Promise<T>): Promise<T> =>
  withDeadline(work, { ms: answerWithinMs, onTimeout: () => new Error('no answer in time') });

/**
 * Measures every second how far each replica is behind: the age of the oldest change that it has not replayed, by what the
 * primary said of its log. A replica that cannot be reached gets ever older. Without URLs nothing runs, and the primary serves.
 */
export function watchReplicas(options: ReplicasOptions): Replicas {
  const { primary, maxLagMs, clock, logger } = options;
  const gauges = createReplicaMetrics(options.metrics);
  const startedAt = clock();
  const replicas = options.urls.map((url): Replica => {
    const database = createDatabase({ ...options.connections, url, mayBeReplica: true });
    return { name: placeOf(url), database, asOf: null, measuredAt: startedAt, isUsed: false };
  });
  let samples: PrimarySample[] = [];
  let next = 0;

  async function asOfNow(replica: Replica): Promise<Instant | null> {
    for (let tried = 1; ; tried += 1) {
      const position = await positionOf(replica.database);
      const asOf = position === null ? null : dataAsOf(samples, position);
      if (position === null || asOf === samples.at(-1)?.at || tried === tries) return asOf;
      await sleep(pauseMs);
    }
  }

  async function measure(replica: Replica): Promise<void> {
    const asOf = await within(asOfNow(replica)).catch((error: unknown) => {
      if (replica.isUsed) logger.warn('replica_unreachable', { replica: replica.name, error });
      return undefined;
    });
    replica.measuredAt = clock();
    replica.asOf = asOf ?? replica.asOf;
    const lagMs = replica.measuredAt - (replica.asOf ?? startedAt);
    const isUsed = typeof asOf === 'number' && lagMs < maxLagMs;
    if (isUsed !== replica.isUsed)
      logger.info(isUsed ? 'replica_used' : 'replica_not_used', { replica: replica.name, lag_ms: lagMs });
    replica.isUsed = isUsed;
    gauges.lag.set({ replica: replica.name }, lagMs / 1000);
    gauges.used.set({ replica: replica.name }, isUsed ? 1 : 0);
  }

  async function turn(): Promise<'rest'> {
    const at = clock();
    // While the primary is away nothing new is known of it: the replicas get older.
    const sample = await within(samplePrimary(primary, at)).catch(() => null);
    if (sample !== null) samples = addSample(samples, sample);
    await Promise.all(replicas.map(measure));
    return 'rest';
  }
  const loop =
    replicas.length === 0 ? null : startLoop({ name: 'replicas', logger, intervalMs: measureEveryMs }, turn);

  function pick(): Replica | undefined {
    const usable = replicas.filter(
      ({ isUsed, measuredAt }) => isUsed && clock() - measuredAt < measuredForMs,
    );
    next += 1;
    return usable[next % usable.length];
  }

  return {
    read: async (work) => {
      const replica = pick();
      const { asOf = null } = replica ?? {};
      if (replica !== undefined && asOf !== null)
        try {
          const result = await work(replica.database);
          gauges.reads.inc({ server: 'replica' });
          return { result, asOf };
        } catch (error) {
          if (error instanceof ServiceError) throw error;
          logger.warn('replica_read_failed', { replica: replica.name, error });
        }
      if (replicas.length > 0) gauges.reads.inc({ server: 'primary' });
      return { result: await work(primary), asOf: null };
    },
    close: async () => {
      await loop?.stop();
      await Promise.all(replicas.map(({ database }) => database.$disconnect().catch(() => undefined)));
    },
  };
}

/** What is measured of replicas, and counted. */
export function createReplicaMetrics(metrics: Metrics) {
  return {
    lag: metrics.sharedGauge(
      'database_replica_lag_seconds',
      'Age of the oldest change that a replica of Postgres has not replayed; one that cannot be reached gets ever older',
      ['replica'],
    ),
    used: metrics.sharedGauge(
      'database_replica_used',
      '1: this process reads lists from the replica; 0: it lags, or cannot be reached',
      ['replica'],
    ),
    reads: metrics.counter(
      'database_replica_reads_total',
      'Reads that a replica may serve, by the server that did',
      ['server'],
    ),
  };
}
