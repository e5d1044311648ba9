import { Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import type { Logger } from '../logging/logger.ts';
import { limitCommands } from './limit-commands.ts';
import { corkWrites } from './cork-writes.ts';

/**
 * `cache`: answers within 250 ms or fails. `producer`: adds jobs, fails fast. `worker`: waits for Redis as
 * BullMQ's Worker needs it.
 */
export type RedisRole = 'cache' | 'producer' | 'worker';

export interface RedisConnectionOptions {
  readonly url: string;
  readonly role: RedisRole;
  readonly logger: Logger;
}

/** Jittered and capped at a second: Redis that is back must be in use at once, without a stampede. */
function reconnectDelayMs(attempt: number): number {
  const ceiling = Math.min(1_000, 50 * 2 ** Math.min(attempt, 5));
  return Math.round(ceiling * (0.5 + Math.random() / 2));
}

const COMMON = {
  connectTimeout: 2_000,
  keepAlive: 10_000,
  // How long a connection that does not answer may hold up our own goodbye.
  disconnectTimeout: 250,
  retryStrategy: reconnectDelayMs,
  // After a failover the old connection leads to a replica: reconnect, as the name now leads to the new primary.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} as const satisfies RedisOptions;

const cacheCommandMs = 250;

const ROLES: Record<RedisRole, RedisOptions> = {
  cache: {
    enableAutoPipelining: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    socketTimeout: 1_000,
  },
  // No autopipelining: it makes BullMQ slower. BullMQ refuses a number for maxRetriesPerRequest.
  producer: {
    enableOfflineQueue: false,
    maxRetriesPerRequest: null,
    autoResendUnfulfilledCommands: false,
    socketTimeout: 3_000,
  },
  // Longer than BullMQ's longest blocking read (10 s), short enough that a half-open socket heals in time.
  worker: { maxRetriesPerRequest: null, socketTimeout: 15_000 },
};

/**
 * Connects to Redis and keeps reconnecting for ever. Never throws and never emits an unhandled error: the
 * state is `redis.status`, and its changes are logged once each, not once per attempt.
 */
export function connectRedis({ url, role, logger }: RedisConnectionOptions): Redis {
  const redis = prepared(new Redis(url, { ...COMMON, ...ROLES[role] }), role);
  let lastLogged: 'up' | 'down' | undefined;
  let lastError: Error | undefined;
  redis.on('error', (error: Error) => {
    lastError = error;
    reportDown();
  });
  redis.on('close', reportDown);
  redis.on('ready', () => {
    lastError = undefined;
    if (lastLogged !== 'up') logger.info('redis_connected', { role });
    lastLogged = 'up';
  });
  // A closed connection that someone ended on purpose is no news.
  redis.on('end', () => (lastLogged = 'down'));

  function reportDown(): void {
    if (lastLogged === 'down' || (lastError === undefined && lastLogged === undefined)) return;
    if (redis.status === 'ready') return;
    lastLogged = 'down';
    logger.warn('redis_unreachable', lastError === undefined ? { role } : { role, error: lastError });
  }
  return redis;
}

/** The same for the connections that BullMQ's workers duplicate from this one for their blocking reads. */
function prepared(redis: Redis, role: RedisRole): Redis {
  const duplicate = redis.duplicate.bind(redis);
  redis.on('close', () => stopSocketTimer(redis));
  // The cache's commands are pipelined already.
  if (role === 'cache') limitCommands(redis, cacheCommandMs);
  else corkWrites(redis);
  redis.duplicate = (override) => prepared(duplicate(override), role);
  return redis;
}

/** ioredis leaves its `socketTimeout` timer running when a connection closes; it would then hit the next one. */
function stopSocketTimer(redis: Redis): void {
  const timer: unknown = Reflect.get(redis, 'socketTimeoutTimer');
  if (!isTimer(timer)) return;
  clearTimeout(timer);
  Reflect.set(redis, 'socketTimeoutTimer', undefined);
}

function isTimer(value: unknown): value is NodeJS.Timeout {
  return typeof value === 'object' && value !== null && 'hasRef' in value;
}
