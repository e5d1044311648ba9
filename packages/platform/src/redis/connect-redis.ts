import { Cluster, Redis } from 'ioredis';
import type { ClusterOptions, RedisOptions } from 'ioredis';
import { parseRedisUrl } from '../env/redis-url.ts';
import type { RedisAddress } from '../env/redis-url.ts';
import { readTlsFiles } from '../env/tls-files.ts';
import type { Logger } from '../logging/logger.ts';
import { commonOptions, reconnectDelayMs, roleOptions } from './role-options.ts';
import type { RedisRole } from './role-options.ts';
import { hearSentinelErrors } from './sentinel-errors.ts';
import { corkWrites, limitClusterCommands, limitCommands, stopSocketTimer } from './tune-connection.ts';

export type { RedisRole } from './role-options.ts';

/** One server (which Sentinels may name), or a Redis Cluster. */
export type RedisClient = Redis | Cluster;

export type RedisConnectionOptions = {
  readonly url: string;
  readonly role: RedisRole;
  readonly logger: Logger;
  /** Before every key. Not for queues: BullMQ has a prefix of its own. */
  readonly keyPrefix?: string;
};

const cacheCommandMs = 250;
/** A Sentinel that does not answer must not hold up the next one. */
const sentinelCommandMs = 1_000;
/** Besides each time that a node is lost or answers that a slot has moved. */
const refreshSlotsEveryMs = 5_000;

/**
 * Connects to Redis and keeps reconnecting for ever. Never throws and never emits an unhandled error: the
 * state is `redis.status`, and its changes are logged once each, not once per attempt.
 */
export function connectRedis(options: RedisConnectionOptions): RedisClient {
  return logState(open(options), options);
}

/** The same to one server: a URL without `+`. */
export const connectServer = (options: RedisConnectionOptions): Redis =>
  logState(openServer(options), options);

function logState<R extends RedisClient>(redis: R, { role, logger }: RedisConnectionOptions): R {
  let lastLogged: 'up' | 'down' | undefined;
  let lastError: Error | undefined;
  redis.on('error', (error: Error) => {
    lastError = error;
    reportDown();
  });
  redis.on('node error', (error: Error) => (lastError = error));
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

const optionsOf = (url: string, role: RedisRole): RedisOptions => ({
  ...commonOptions,
  ...roleOptions[role],
  ...tlsOptions(url),
});

const openServer = ({ url, role, keyPrefix = '' }: RedisConnectionOptions): Redis =>
  prepare(new Redis(url, { ...optionsOf(url, role), keyPrefix }), role);

function open(opening: RedisConnectionOptions): RedisClient {
  const { url, role, keyPrefix = '' } = opening;
  const address = parseRedisUrl(url);
  const options = optionsOf(url, role);
  switch (address.kind) {
    case 'single':
      return openServer(opening);
    case 'sentinel':
      return prepare(new Redis({ ...options, ...sentinelOptions(address, options), keyPrefix }), role);
    case 'cluster':
      return prepareCluster(
        new Cluster([...address.hosts], clusterOptions(role, { ...options, ...address.account }, keyPrefix)),
        role,
      );
  }
}

/** The server's certificate must be valid for the host, the client's is of a file. */
const tlsOptions = (url: string): RedisOptions =>
  /^rediss/i.test(url) ? { tls: { ...readTlsFiles(url) } } : {};

function sentinelOptions(address: RedisAddress, { tls }: RedisOptions): RedisOptions {
  const { hosts, name, account, sentinelAccount, db } = address;
  return {
    sentinels: hosts.map((one) => ({ ...one })),
    ...(name === undefined ? {} : { name }),
    ...account,
    db,
    role: 'master',
    sentinelUsername: sentinelAccount.username ?? '',
    sentinelPassword: sentinelAccount.password ?? '',
    sentinelCommandTimeout: sentinelCommandMs,
    sentinelRetryStrategy: reconnectDelayMs,
    sentinelReconnectStrategy: reconnectDelayMs,
    // Also where the old primary still answers: what is written there after a failover is lost.
    failoverDetector: true,
    ...(tls === undefined ? {} : { sentinelTLS: tls, enableTLSForSentinelMode: true }),
  };
}

function clusterOptions(role: RedisRole, redisOptions: RedisOptions, keyPrefix: string): ClusterOptions {
  const { enableAutoPipelining = false, enableOfflineQueue = true } = redisOptions;
  return {
    redisOptions,
    keyPrefix,
    enableAutoPipelining,
    enableOfflineQueue,
    // It would need the right to CLUSTER INFO; `/ready` tries a write.
    enableReadyCheck: false,
    slotsRefreshInterval: refreshSlotsEveryMs,
    slotsRefreshTimeout: commonOptions.connectTimeout,
    clusterRetryStrategy: reconnectDelayMs,
    // The name stays what the certificate is valid for.
    dnsLookup: (host, callback) => callback(null, host),
    ...(role === 'cache' ? { maxRedirections: 3 } : {}),
  };
}

/** Also prepares the connections that BullMQ's workers duplicate from this one for their blocking reads. */
function prepare(redis: Redis, role: RedisRole): Redis {
  const duplicate = redis.duplicate.bind(redis);
  tune(redis, role);
  hearSentinelErrors(redis);
  redis.duplicate = (override) => prepare(duplicate(override), role);
  return redis;
}

function prepareCluster(cluster: Cluster, role: RedisRole): Cluster {
  const duplicate = cluster.duplicate.bind(cluster);
  cluster.on('+node', (node: Redis) => tune(node, role));
  if (role === 'cache') limitClusterCommands(cluster, cacheCommandMs);
  cluster.duplicate = (nodes, override) => prepareCluster(duplicate(nodes, override), role);
  return cluster;
}

function tune(redis: Redis, role: RedisRole): void {
  redis.on('close', () => stopSocketTimer(redis));
  // The cache's commands are pipelined already.
  if (role === 'cache') limitCommands(redis, cacheCommandMs);
  else corkWrites(redis);
}
