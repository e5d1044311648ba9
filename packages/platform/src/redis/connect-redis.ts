import type { Writable } from 'node:stream';
import { Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import { readTlsFiles } from '../env/tls-files.ts';
import type { Logger } from '../logging/logger.ts';

export type RedisClient = Redis;

/**
 * `cache`: answers within 250 ms or fails. `producer`: adds jobs, fails fast. `worker`: waits for Redis as
 * BullMQ's Worker needs it.
 */
export type RedisRole = 'cache' | 'producer' | 'worker';

export type RedisConnectionOptions = {
  readonly url: string;
  readonly role: RedisRole;
  readonly logger: Logger;
  /** Before every key. Not for queues: BullMQ has a prefix of its own. */
  readonly keyPrefix?: string;
};

/** Jittered and capped at a second: a Redis that is back must be in use at once, without a stampede. */
function reconnectDelayMs(attempt: number): number {
  const ceiling = Math.min(1_000, 50 * 2 ** Math.min(attempt, 5));
  return Math.round(ceiling * (0.5 + Math.random() / 2));
}

const commonOptions = {
  connectTimeout: 2_000,
  keepAlive: 10_000,
  // How long a connection that does not answer may delay our own disconnect.
  disconnectTimeout: 250,
  retryStrategy: reconnectDelayMs,
  // After a failover the old connection leads to a replica: reconnect, as the name now leads to the new primary.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} as const satisfies RedisOptions;

const cacheCommandMs = 250;

const roleOptions: Record<RedisRole, RedisOptions> = {
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

/**
 * Connects to Redis and keeps reconnecting for ever. Never throws and never emits an unhandled error: the
 * state is `redis.status`, and its changes are logged once each, not once per attempt.
 */
export function connectRedis({ url, role, logger, keyPrefix = '' }: RedisConnectionOptions): RedisClient {
  const options = { ...commonOptions, ...roleOptions[role], ...tlsOptions(url), keyPrefix };
  const redis = prepare(new Redis(url, options), role);
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
  // A connection that was ended on purpose is not logged.
  redis.on('end', () => (lastLogged = 'down'));

  function reportDown(): void {
    if (lastLogged === 'down' || (lastError === undefined && lastLogged === undefined)) return;
    if (redis.status === 'ready') return;
    lastLogged = 'down';
    logger.warn('redis_unreachable', lastError === undefined ? { role } : { role, error: lastError });
  }
  return redis;
}

/** Of a `rediss:` URL: the server's certificate must be valid for the host, the client's is of a file. */
const tlsOptions = (url: string): RedisOptions =>
  /^rediss:/i.test(url) ? { tls: { ...readTlsFiles(url) } } : {};

/** Also prepares the connections that BullMQ's workers duplicate from this one for their blocking reads. */
function prepare(redis: Redis, role: RedisRole): Redis {
  const duplicate = redis.duplicate.bind(redis);
  redis.on('close', () => stopSocketTimer(redis));
  // The cache's commands are pipelined already.
  if (role === 'cache') limitCommands(redis, cacheCommandMs);
  else corkWrites(redis);
  redis.duplicate = (override) => prepare(duplicate(override), role);
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

/**
 * Fails a command that Redis has not answered within `ms` milliseconds. ioredis's own `commandTimeout` does so
 * without a look at the socket: where this process was late itself, the answer lies there, and treating the cache as
 * down would send every read to Postgres just when the process is busiest. So the socket is read once more first.
 */
function limitCommands(redis: Redis, ms: number): void {
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command, pipeline) => {
    const fail = (): void => void setImmediate(() => command.reject(new Error('Command timed out')));
    const timer = setTimeout(fail, ms);
    const ended = (): void => clearTimeout(timer);
    command.promise.then(ended, ended);
    return send(command, pipeline);
  };
}

/** How to cork the connections whose writes are corked. */
const corks = new WeakMap<Redis, () => void>();

/**
 * Sends the commands of one turn of the event loop by one system call, which costs more than the command itself.
 * Unlike ioredis's autopipelining, which makes BullMQ slower, it changes nothing about the commands: Node's own
 * `cork` buffers them until the turn ends.
 */
function corkWrites(redis: Redis): void {
  const send = redis.sendCommand.bind(redis);
  let corked: Writable | undefined;

  function cork(): void {
    if (corked !== undefined || redis.status !== 'ready') return;
    const { stream } = redis;
    corked = stream;
    stream.cork();
    setImmediate(() => {
      corked = undefined;
      stream.uncork();
    });
  }

  corks.set(redis, cork);
  redis.sendCommand = (command, pipeline) => {
    cork();
    return send(command, pipeline);
  };
}

/**
 * Runs `send` at the end of this turn of the event loop, and what it sends goes out in the same turn: `setImmediate`
 * alone would leave that corked until the next.
 */
export function sendAtTurnEnd(redis: RedisClient, send: () => void): void {
  setImmediate(send);
  corks.get(redis)?.();
}
