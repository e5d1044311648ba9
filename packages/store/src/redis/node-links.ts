import { createHash } from 'node:crypto';
import { readServerState } from '@billing/platform';
import type { Logger, ServerState } from '@billing/platform';
import type { Redis } from 'ioredis';

/** What is known of one server of the cache. */
export type NodeLink = {
  redis: Redis;
  /** Null: not asked yet since it was connected. */
  state: ServerState | null;
  /** Monotonic milliseconds. */
  pausedUntil: number;
  /** Monotonic: when it answered, and took no change, so that what it has may be old; null: it was told all since. */
  refusedAt: number | null;
  /** Whether it was told what it missed before it was connected. */
  isCaughtUp: boolean;
  /** Of `nameServer`; empty: it may not be used. */
  server: string;
};

export type NodeLinksOptions = {
  logger: Logger;
  /** Whether its servers have to be nodes of a Redis Cluster. */
  isCluster: boolean;
  timeline: () => string | null;
  /** After a connection was opened and the server has said who it is. */
  onMeet: (link: NodeLink) => void;
};

export type NodeLinks = ReturnType<typeof createNodeLinks>;

/** How long a server is left alone after it failed to answer: a frozen one must not cost every read its timeout. */
const pauseAfterFailureMs = 500;

/** Answers of a Redis Cluster that say where a key is, and nothing about the server. */
const redirection = /^(?:MOVED|ASK|TRYAGAIN)\b/;

export const isRedirection = (error: unknown): boolean =>
  error instanceof Error && redirection.test(error.message);

/** A short name of a server's process and replication, and of Postgres's timeline. */
export const nameServer = (id: string, timeline: string): string =>
  createHash('sha256').update(`${id}/${timeline}`).digest('base64url').slice(0, 10);

/** Follows the servers of the cache: which one answers, and whether it may be asked. */
export function createNodeLinks({ logger, isCluster, timeline, onMeet }: NodeLinksOptions) {
  const links = new Map<Redis, NodeLink>();

  function name(link: NodeLink): void {
    const { state } = link;
    const now = timeline();
    const isUsable = state !== null && state.isPrimary && state.isClusterNode === isCluster;
    link.server = isUsable && state.id !== null && now !== null ? nameServer(state.id, now) : '';
  }

  async function ask(link: NodeLink): Promise<void> {
    const { redis } = link;
    const state = await readServerState(redis);
    if (!links.has(redis) || redis.status !== 'ready') return;
    link.state = state;
    name(link);
    // It cannot be told of changes. After a failover the name leads to another one.
    if (!state.isPrimary) throw new Error('the cache Redis is a read-only replica');
  }

  async function greet(link: NodeLink): Promise<void> {
    try {
      await ask(link);
      onMeet(link);
    } catch (error) {
      logger.warn('cache_greeting_failed', { error });
      // Without an answer the connection is of no use; a new one greets again.
      link.redis.disconnect(true);
    }
  }

  function open(redis: Redis): NodeLink {
    const link: NodeLink = {
      redis,
      state: null,
      pausedUntil: 0,
      refusedAt: null,
      isCaughtUp: false,
      server: '',
    };
    links.set(redis, link);
    redis.on('ready', () => void greet(link));
    redis.on('close', () => {
      link.state = null;
      link.server = '';
      link.isCaughtUp = false;
    });
    redis.once('end', () => links.delete(redis));
    if (redis.status === 'ready') void greet(link);
    // Nodes of a Redis Cluster are connected to when they are needed.
    else if (redis.status === 'wait') redis.connect().catch(() => undefined);
    return link;
  }

  return {
    of: (redis: Redis): NodeLink => links.get(redis) ?? open(redis),
    /** Asks the servers again who they are; resolves when all have answered or failed. */
    async refresh(used: Iterable<NodeLink>): Promise<void> {
      const asked = [...used].filter(({ redis, state }) => redis.status === 'ready' && state !== null);
      await Promise.all(
        asked.map((link) =>
          ask(link).catch((error: unknown) => {
            if (link.state?.isPrimary === false) link.redis.disconnect(true);
            else reportFailure(link, error);
          }),
        ),
      );
    },
    /** After another timeline was seen. */
    rename: (): void => links.forEach(name),
    reportFailure,
  };

  function reportFailure(link: NodeLink, error: unknown): void {
    logger.debug('cache_command_failed', { error });
    // Redis answered, if only with a refusal (full memory): it is there.
    if (error instanceof Error && error.name === 'ReplyError') return;
    link.pausedUntil = performance.now() + pauseAfterFailureMs;
  }
}

/** Whether it was met, and has not failed just now. */
export const isAnswering = (link: NodeLink | null): boolean =>
  link?.redis.status === 'ready' && link.isCaughtUp && performance.now() >= link.pausedUntil;

/** Whether this server can be asked at this moment, and knows all that it was to be told. */
export const isUsable = ({ redis, pausedUntil, refusedAt, isCaughtUp }: NodeLink): boolean =>
  redis.status === 'ready' && isCaughtUp && refusedAt === null && performance.now() >= pausedUntil;
