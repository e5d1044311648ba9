import { ConfigError } from './parse-env.ts';
import { parseRedisUrl } from './redis-url.ts';
import { hasHashTag, hashTagWanted } from './related-variables.ts';

export type RedisSettings = {
  redisUrl: string;
  cacheRedisUrl: string;
  queuePrefix: string;
  cachePrefix: string;
};

const prefixFor = { cluster: '{bull}', sentinel: 'bull', single: 'bull' } as const;

/**
 * The settings of both Redis roles. Throws a ConfigError where the queue's keys would not lie in one slot of a Redis
 * Cluster: BullMQ's scripts need all of them together.
 */
export function redisSettings(fields: {
  REDIS_URL: string;
  CACHE_REDIS_URL?: string | undefined;
  QUEUE_PREFIX?: string | undefined;
  CACHE_PREFIX: string;
}): RedisSettings {
  const { kind } = parseRedisUrl(fields.REDIS_URL);
  const queuePrefix = fields.QUEUE_PREFIX ?? prefixFor[kind];
  if (kind === 'cluster' && !hasHashTag(queuePrefix)) throw new ConfigError(`QUEUE_PREFIX: ${hashTagWanted}`);
  return {
    redisUrl: fields.REDIS_URL,
    cacheRedisUrl: fields.CACHE_REDIS_URL ?? fields.REDIS_URL,
    queuePrefix,
    cachePrefix: fields.CACHE_PREFIX,
  };
}
