import type { RedisOptions } from 'ioredis';

/**
 * `cache`: answers within 250 ms or fails. `producer`: adds jobs, fails fast. `worker`: waits for Redis as
 * BullMQ's Worker needs it.
 */
export type RedisRole = 'cache' | 'producer' | 'worker';

/** Jittered and capped at a second: a Redis that is back must be in use at once, without a stampede. */
export function reconnectDelayMs(attempt: number): number {
  const ceiling = Math.min(1_000, 50 * 2 ** Math.min(attempt, 5));
  return Math.round(ceiling * (0.5 + Math.random() / 2));
}

export const commonOptions = {
  connectTimeout: 2_000,
  keepAlive: 10_000,
  // How long a connection that does not answer may delay our own disconnect.
  disconnectTimeout: 250,
  retryStrategy: reconnectDelayMs,
  // After a failover the old connection leads to a replica: reconnect, as the name now leads to the new primary.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} as const satisfies RedisOptions;

export const roleOptions: Record<RedisRole, RedisOptions> = {
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
  // Longer than BullMQ's longest blocking read (10 s), short enough to replace a half-open socket in time.
  worker: { maxRetriesPerRequest: null, socketTimeout: 15_000 },
};
