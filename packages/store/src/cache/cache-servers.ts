import { Cluster } from 'ioredis';
import { saysClusterNode, startLoop, withDeadline } from '@billing/platform';
import type { Logger, Loop, Metrics, RedisClient } from '@billing/platform';
import type { Redis } from 'ioredis';
import type { Database } from '../create-database.ts';
import { createNodeLinks, isAnswering, isRedirection, isUsable } from '../redis/node-links.ts';
import type { NodeLink } from '../redis/node-links.ts';
import { createAgreement } from './agreement/create-agreement.ts';
import { createKeptAgreement } from './agreement/kept-agreement.ts';
import { pendingAfterMs } from './agreement/server-rows.ts';
import { createPlaces } from './places.ts';
import type { Places } from './places.ts';

/** Twice a second what the others use is read, and the servers are asked who they are. */
const pollEveryMs = 450;
const catchUpMs = 2_000;

export type CacheServersOptions = {
  redis: RedisClient;
  database: Pick<Database, '$queryRaw' | '$transaction' | '$executeRaw'>;
  logger: Logger;
  /** Publishes what waits to be told to the cache: after a server was met, and where somebody has left something behind. */
  catchUp: () => Promise<void>;
  metrics?: Pick<Metrics, 'entitlementCacheEnabled'> | undefined;
  /** Another timeline of Postgres was seen than before. */
  onTimeline: () => void;
  service?: Service | undefined;
};

/** What a process is that uses the cache; absent: a command line. */
export type Service = 'api' | 'worker';

/** A server that may be asked for the entries of a shard, and what they carry. */
export type ServedShard = { redis: Redis; link: NodeLink; generation: string };

export type CacheServers = {
  places: Places;
  isConnected: () => boolean;
  /** Null: the shard's server cannot be asked now, or its answers may be old. */
  serving: (shard: number) => ServedShard | null;
  /**
   * The server that has to be told of changes of this shard. Throws where it is away. `announce` comes first: what this process
   * uses is known to all before it publishes anything.
   */
  publishing: (shard: number) => NodeLink;
  announce: () => Promise<void>;
  reportFailure: (link: NodeLink, error: unknown) => void;
  /** A change could, or could not, be told to this server. */
  reportPublished: (link: NodeLink, error: unknown) => void;
  /** Whether reads of this shard are admitted one by one: it is away, or came to another server in the last minute. */
  isWarming: (shard: number) => boolean;
  /** Why the cache is off although its servers answer; null: it is not. */
  offReason: () => string | null;
  /** Whether one of its servers answers, whatever is agreed. */
  isAnswering: () => boolean;
  /** The share of the cache that may be asked, 0 to 1. */
  enabledShare: () => number;
  follow: () => Loop;
};

const noId = 'off: its server tells no id';
const split = 'off: processes use different servers';

/** Why servers that answer are of no use as the cache; null: they are. */
function problemOf(links: Iterable<NodeLink>, isCluster: boolean): string | null {
  const states = [...links].flatMap(({ state }) => state ?? []);
  if (states.some((state) => state.isClusterNode && !isCluster)) return saysClusterNode('CACHE_REDIS_URL');
  return states.some((state) => state.isPrimary && state.id === null) ? noId : null;
}

/** The links of the servers that hold the shards now. */
function createShardLinks(options: CacheServersOptions, onMeet: (link: NodeLink) => void) {
  const { redis, logger } = options;
  const places = createPlaces(redis);
  const shards = Array.from({ length: places.shards }, (_, shard) => shard);
  let timeline: string | null = null;
  const isCluster = redis instanceof Cluster;
  const links = createNodeLinks({ logger, isCluster, timeline: () => timeline, onMeet });

  function of(shard: number): NodeLink | null {
    const node = places.primaryOf(places.slotOf(shard));
    return node === null ? null : links.of(node);
  }
  const used = (): Set<NodeLink> => new Set(shards.flatMap((shard) => of(shard) ?? []));

  return {
    places,
    shards,
    of,
    /** The server of each shard; empty: none that may be used. */
    servers: (): string[] =>
      shards.map((shard) => {
        const link = of(shard);
        return link?.redis.status === 'ready' ? link.server : '';
      }),
    problem: (): string | null => problemOf(used(), isCluster),
    /** Asks the servers again who they are, and the cluster where its slots are when one is lost. */
    async refresh(): Promise<void> {
      const before = used();
      await links.refresh(before);
      const isLost = [...before].some((link) => link.redis.status !== 'ready');
      if (isLost || shards.some((shard) => of(shard) === null)) places.refresh();
    },
    onTimeline: (seen: string): void => {
      if (timeline !== null) options.onTimeline();
      timeline = seen;
      links.rename();
    },
    reportFailure: (link: NodeLink, error: unknown): void => {
      if (isRedirection(error)) places.refresh();
      links.reportFailure(link, error);
    },
    reportPublished: (link: NodeLink, error: unknown): void => {
      link.refusedAt = error === null || isRedirection(error) ? null : performance.now();
      if (isRedirection(error)) places.refresh();
    },
    /** What was refused until then has been told since, by whichever process. */
    onAllTold: (until: number): void => {
      for (const link of used())
        if (link.refusedAt !== null && link.refusedAt <= until) link.refusedAt = null;
    },
  };
}

/** Which servers hold the cache, which of them may be asked, and what is agreed with the other processes. */
export function createCacheServers(options: CacheServersOptions): CacheServers {
  const { redis, database, logger, catchUp } = options;
  const links = createShardLinks(options, (link) => void meet(link));
  const { places, shards, servers, onTimeline } = links;
  const kept = createKeptAgreement({ places, linkOf: links.of });
  const agreement = createAgreement({
    database,
    logger,
    servers,
    onTimeline,
    kept,
    service: options.service ?? null,
  });
  let hasWarned = false;

  /** A server was met: first all learn of it, then it learns what it missed; until both are done it is not asked. */
  async function meet(link: NodeLink): Promise<void> {
    const why = links.problem();
    if (why !== null && !hasWarned) logger.warn('cache_off', { why });
    hasWarned ||= why !== null;
    await agreement.announce().catch((error: unknown) => logger.warn('cache_not_agreed', { error }));
    await catchUpInTime();
    link.isCaughtUp = link.redis.status === 'ready';
  }

  async function catchUpInTime(): Promise<void> {
    await withDeadline(catchUp(), {
      ms: catchUpMs,
      onTimeout: () => new Error('publishing the pending invalidations took too long'),
    }).catch((error: unknown) => logger.warn('cache_catch_up_failed', { error }));
  }

  async function step(): Promise<'rest'> {
    await links.refresh();
    const startedAt = performance.now();
    try {
      const { hasPending } = await agreement.poll();
      // What was refused is older than what a poll leaves to those who publish it now.
      if (!hasPending) links.onAllTold(startedAt - pendingAfterMs);
      if (hasPending && redis.status === 'ready') await catchUpInTime();
    } finally {
      options.metrics?.entitlementCacheEnabled.set(enabledShare());
    }
    return 'rest';
  }

  function serving(shard: number): ServedShard | null {
    const link = links.of(shard);
    if (link === null || link.server === '' || !isUsable(link)) return null;
    const generation = agreement.generation(shard, link.server);
    return generation === null ? null : { redis: link.redis, link, generation };
  }

  const enabledShare = (): number => shards.filter((shard) => serving(shard) !== null).length / shards.length;

  return {
    places,
    isConnected: () => redis.status === 'ready',
    serving,
    publishing(shard) {
      const link = links.of(shard);
      if (link === null || link.redis.status !== 'ready' || link.state === null)
        throw new Error('the cache Redis is not connected');
      return link;
    },
    announce: agreement.announce,
    reportFailure: links.reportFailure,
    reportPublished: links.reportPublished,
    isWarming: (shard) =>
      // Where a server tells no id the cache is off for good, and only the pool limits.
      serving(shard) === null ? links.of(shard)?.state?.id !== null : agreement.isWarming(shard),
    offReason: () => links.problem() ?? (agreement.isSplit() ? split : null),
    isAnswering: () => shards.some((shard) => isAnswering(links.of(shard))),
    enabledShare,
    follow() {
      const loop = startLoop({ name: 'follow_cache_servers', logger, intervalMs: pollEveryMs }, step);
      return {
        stop: async () => {
          await loop.stop();
          await agreement.withdraw();
        },
      };
    },
  };
}
