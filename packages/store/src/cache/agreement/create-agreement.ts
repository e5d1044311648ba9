import { randomUUID } from 'node:crypto';
import { withDeadline } from '@billing/platform';
import type { Logger } from '@billing/platform';
import type { Database } from '../../create-database.ts';
import { areSame } from './agree.ts';
import type { Servers } from './agree.ts';
import { isSplit, isStillShared, know, knowKept } from './known.ts';
import type { Known } from './known.ts';
import type { KeptAgreement } from './kept-agreement.ts';
import { exchangeServers, pollServers, renewServers, withdrawServers } from './server-rows.ts';

/** A frozen Postgres must not hold up the next question. */
const exchangeMs = 1_000;
const renewEveryMs = 3_000;
/** This process itself did not run meanwhile: others may have moved on. Less than `expiresAfterMs`. */
const maxSilenceMs = 3_000;
/** So long after a change of servers readers come back to the cache little by little. */
const warmMs = 60_000;

export type AgreementOptions = {
  database: Pick<Database, '$queryRaw' | '$transaction' | '$executeRaw'>;
  logger: Logger;
  /** The servers in use at this moment, by shard; empty: none. */
  servers: () => Servers;
  /** Another timeline of Postgres was seen: servers have other names from now on. */
  onTimeline: (timeline: string) => void;
  kept: KeptAgreement;
  /** What this process is; null: a command line. */
  service: string | null;
};

export type Agreement = {
  /** What entries of this shard carry; null: the processes do not agree on its server, or nothing is known yet. */
  generation: (shard: number, server: string) => string | null;
  /** Writes down what this process uses, where it has changed. Throws when Postgres cannot be reached. */
  announce: () => Promise<void>;
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

/** Logs once each that processes use different servers, and that they agree again. */
function createSplitReport(logger: Logger): (isNow: boolean) => void {
  let was = false;
  return (isNow) => {
    if (isNow === was) return;
    was = isNow;
    if (isNow) logger.warn('cache_off', { why: 'processes use different servers' });
    else logger.info('cache_agreed', {});
  };
}

/** Runs work once for all who ask for it meanwhile. */
function onceAtATime(work: () => Promise<void>) {
  let underWay: Promise<void> | null = null;
  return {
    underWay: (): Promise<void> | null => underWay,
    run: (): Promise<void> => (underWay ??= work().finally(() => (underWay = null))),
  };
}

/** Agrees with all processes, through Postgres, on the servers that hold the cache. */
export function createAgreement(options: AgreementOptions): Agreement {
  const { database, logger, servers, onTimeline, kept, service } = options;
  const processId = randomUUID();
  let known: Known | null = null;
  let timeline: string | null = null;
  let askedAt = -Infinity;
  let renewedAt = -Infinity;
  /** Postgres did not answer since: another server with another timeline may do so now. */
  let isInDoubt = false;

  const report = createSplitReport(logger);

  function see(seen: string): void {
    if (seen === timeline) return;
    timeline = seen;
    onTimeline(seen);
  }

  function serversAt(seen: string): Servers {
    see(seen);
    return [...servers()];
  }

  async function exchange(): Promise<void> {
    const startedAt = performance.now();
    known = know(await inTime(exchangeServers(database, { processId, service, serversAt })), known);
    isInDoubt = false;
    renewedAt = startedAt;
    askedAt = startedAt;
    report(isSplit(known));
  }

  /** Postgres is away since this process started: what the servers themselves have kept is known last. */
  async function recall(): Promise<void> {
    const recalled = knowKept(await kept.read());
    if (recalled === null) return;
    see(recalled.timeline);
    known = recalled.known;
  }

  const exchangeOnce = onceAtATime(async () => {
    try {
      await exchange();
    } catch (error) {
      askedAt = performance.now();
      if (known === null) await recall();
      throw error;
    }
  });

  async function announce(): Promise<void> {
    // What is under way may have begun before the latest change.
    await exchangeOnce.underWay()?.catch(() => undefined);
    if (known === null || isInDoubt || !areSame(known.servers, servers())) await exchangeOnce.run();
  }

  return {
    generation: (shard, server) => {
      if (known === null || known.servers[shard] !== server) return null;
      return performance.now() - askedAt > maxSilenceMs ? null : (known.generations[shard] ?? null);
    },
    announce,
    async poll() {
      const startedAt = performance.now();
      try {
        await announce();
        const mine = known?.servers ?? [];
        const polled = await inTime(pollServers(database, { processId, servers: mine }));
        see(polled.timeline);
        const isKnown =
          known !== null && known.agreed.epoch === polled.epoch && areSame(known.servers, servers());
        const isAsBefore = known !== null && isStillShared(known, polled.others);
        if (!isKnown || !polled.isWritten || !isAsBefore) await exchangeOnce.run();
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
    isSplit: () => isSplit(known),
    withdraw: () => inTime(withdrawServers(database, processId)).catch(() => undefined),
  };
}
