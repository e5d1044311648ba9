import { randomUUID } from 'node:crypto';
import { withDeadline } from '@billing/platform';
import type { Logger } from '@billing/platform';
import type { Database } from '../../create-database.ts';
import { areSame, sharedShards } from './agree.ts';
import type { Agreed, Servers } from './agree.ts';
import type { KeptAgreement } from './kept-agreement.ts';
import { exchangeServers, pollServers, renewServers, withdrawServers } from './server-rows.ts';

/** A frozen Postgres must not hold up the next question. */
const exchangeMs = 1_000;
const renewEveryMs = 3_000;
/** This process itself did not run meanwhile: others may have moved on. Less than `expiresAfterMs`. */
const maxSilenceMs = 3_000;
/** So long after a change of servers readers come back to the cache little by little. */
const warmMs = 60_000;

type Known = {
  servers: Servers;
  agreed: Agreed;
  /** By shard: what entries carry while the processes agree; null: they do not. */
  generations: (string | null)[];
  /** By shard, monotonic: when its server last changed, as far as this process knows. */
  changedAt: number[];
};

export type AgreementOptions = {
  database: Pick<Database, '$queryRaw' | '$transaction' | '$executeRaw'>;
  logger: Logger;
  /** The servers in use at this moment, by shard; empty: none. */
  servers: () => Servers;
  /** Another timeline of Postgres was seen: servers have other names from now on. */
  onTimeline: (timeline: string) => void;
  kept: KeptAgreement;
};

export type Agreement = {
  /** What entries of this shard carry; null: the processes do not agree on its server, or nothing is known yet. */
  generation: (shard: number, server: string) => string | null;
  /** Writes down what this process uses, where it has changed. Throws when Postgres cannot be reached. */
  settle: () => Promise<void>;
  /** Reads what the others use. `hasPending`: changes wait to be told to the cache. */
  poll: () => Promise<{ hasPending: boolean }>;
  /** Whether this shard came to another server in the last minute. */
  isWarming: (shard: number) => boolean;
  /** Whether other processes use other servers. */
  isSplit: () => boolean;
  withdraw: () => Promise<void>;
};

const inTime = <T>(work: Promise<T>): Promise<T> =>
  withDeadline(work, { ms: exchangeMs, onTimeout: () => new Error('Postgres did not answer in time') });

/** By which the entries of a shard are known. */
const generationOf = (server: string, epoch: number): string => `${server}.${epoch.toString(36)}`;

function know(exchanged: Awaited<ReturnType<typeof exchangeServers>>, before: Known | null): Known {
  const { servers, agreed, others, changedMsAgo } = exchanged;
  const shared = sharedShards(servers, others);
  const now = performance.now();
  const changedAt = servers.map((server, shard) => {
    const epoch = agreed.epochs[shard] ?? 0;
    const known = before?.agreed.epochs[shard];
    if (known === epoch) return before?.changedAt[shard] ?? -Infinity;
    if (known !== undefined) return now;
    // Only the shards of the last change are known to be young.
    const isYoung = server !== '' && changedMsAgo !== null && epoch === agreed.epoch;
    return isYoung ? now - changedMsAgo : -Infinity;
  });
  const generations = servers.map((server, shard) =>
    server !== '' && server === agreed.servers[shard] && shared[shard] === true
      ? generationOf(server, agreed.epochs[shard] ?? 0)
      : null,
  );
  return { servers, agreed, generations, changedAt };
}

/** Agrees with all processes, through Postgres, on the servers that hold the cache. */
export function createAgreement(options: AgreementOptions): Agreement {
  const { database, logger, servers, onTimeline, kept } = options;
  const processId = randomUUID();
  let known: Known | null = null;
  let timeline: string | null = null;
  let askedAt = -Infinity;
  let renewedAt = -Infinity;
  let underWay: Promise<void> | null = null;
  let wasSplit = false;
  /** Postgres did not answer since: another server with another timeline may do so now. */
  let isInDoubt = false;

  const isSplit = (): boolean =>
    known !== null &&
    known.servers.some((server, shard) => server !== '' && known?.generations[shard] === null);

  function report(): void {
    if (isSplit() === wasSplit) return;
    wasSplit = !wasSplit;
    if (wasSplit) logger.warn('cache_off', { why: 'processes use different servers' });
    else logger.info('cache_agreed', {});
  }

  function see(seen: string): void {
    if (seen === timeline) return;
    timeline = seen;
    onTimeline(seen);
  }

  async function exchange(): Promise<void> {
    const startedAt = performance.now();
    const exchanged = await tellAndRead();
    known = know(exchanged, known);
    isInDoubt = false;
    renewedAt = startedAt;
    askedAt = startedAt;
    report();
  }

  const tellAndRead = (): ReturnType<typeof exchangeServers> =>
    inTime(
      exchangeServers(database, {
        processId,
        serversAt: (seen) => {
          see(seen);
          return [...servers()];
        },
      }),
    );

  /** Postgres is away since this process started: what the servers themselves have kept is known last. */
  async function recall(): Promise<void> {
    const found = await kept.read();
    const one = found.find((shard) => shard !== null);
    if (one === undefined || one === null) return;
    see(one.timeline);
    const generations = found.map((shard) => (shard?.timeline === one.timeline ? shard.generation : null));
    const epochs = generations.map((generation) => parseInt(generation?.split('.')[1] ?? '0', 36));
    const names = generations.map((generation) => generation?.split('.')[0] ?? '');
    const agreed = { servers: names, epochs, epoch: Math.max(...epochs) };
    known = { servers: names, agreed, generations, changedAt: names.map(() => -Infinity) };
  }

  const exchangeOnce = (): Promise<void> =>
    (underWay ??= exchange()
      .catch(async (error: unknown) => {
        askedAt = performance.now();
        if (known === null) await recall();
        throw error;
      })
      .finally(() => (underWay = null)));

  async function settle(): Promise<void> {
    // What is under way may have begun before the latest change.
    if (underWay !== null) await underWay.catch(() => undefined);
    if (known === null || isInDoubt || !areSame(known.servers, servers())) await exchangeOnce();
  }

  return {
    generation: (shard, server) => {
      if (known === null || known.servers[shard] !== server) return null;
      return performance.now() - askedAt > maxSilenceMs ? null : (known.generations[shard] ?? null);
    },
    settle,
    async poll() {
      const startedAt = performance.now();
      try {
        await settle();
        const mine = known?.servers ?? [];
        const polled = await inTime(pollServers(database, { processId, servers: mine }));
        see(polled.timeline);
        const isKnown =
          known !== null && known.agreed.epoch === polled.epoch && areSame(known.servers, servers());
        const shared = sharedShards(mine, polled.others);
        const isAsBefore = mine.every(
          (server, shard) => server === '' || (known?.generations[shard] !== null) === shared[shard],
        );
        if (!isKnown || !polled.isWritten || !isAsBefore) await exchangeOnce();
        else if (startedAt - renewedAt > renewEveryMs) {
          renewedAt = startedAt;
          await inTime(renewServers(database, processId));
        }
        await kept.keep(polled.timeline, known?.generations ?? []);
        return { hasPending: polled.hasPending };
      } catch (error) {
        isInDoubt = true;
        throw error;
      } finally {
        // Also where Postgres did not answer: what was known last then stays.
        askedAt = Math.max(askedAt, startedAt);
      }
    },
    isWarming: (shard) => performance.now() - (known?.changedAt[shard] ?? -Infinity) < warmMs,
    isSplit,
    withdraw: () => inTime(withdrawServers(database, processId)).catch(() => undefined),
  };
}
