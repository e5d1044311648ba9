import { Cluster } from 'ioredis';
import { createNodeFinder, slotOf } from '@billing/platform';
import type { NodeFinder, RedisClient } from '@billing/platform';
import { agreementKey, generationKey, userKey } from './entry.ts';

/**
 * Parts of the cache on a Redis Cluster, by user; all keys of a part lie in one slot. So many that they spread evenly over
 * dozens of nodes, and so few that a change of a whole project tells all of them in milliseconds.
 */
const shardsOfCluster = 256;

export type UserPlace = { shard: number; projectKey: string; key: string };

/** Where in Redis the cache keeps what. */
export type Places = NodeFinder & {
  /** How many parts it has that may lie on different servers. */
  shards: number;
  slotOf: (shard: number) => number;
  userPlace: (projectId: string, userId: string) => UserPlace;
  /** The key of what lies beside the entry of a user. */
  keyBeside: (userId: string, key: string) => string;
  /** A project's generation, which each part has its own of. */
  generationKey: (projectId: string, shard: number) => string;
  /** Where a shard's server keeps what was agreed on it. */
  agreementKey: (shard: number) => string;
};

/** FNV-1a over UTF-16: the same in every process, and cheap. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

export function createPlaces(redis: RedisClient): Places {
  const finder = createNodeFinder(redis);
  if (!(redis instanceof Cluster))
    return {
      ...finder,
      shards: 1,
      slotOf: () => 0,
      userPlace: (projectId, userId) => ({
        shard: 0,
        projectKey: generationKey(projectId),
        key: userKey(projectId, userId),
      }),
      keyBeside: (_userId, key) => key,
      generationKey: (projectId) => generationKey(projectId),
      agreementKey: () => agreementKey(),
    };
  // Commands go to nodes, which know nothing of the prefix.
  const prefix = redis.options.keyPrefix ?? '';
  const tags = Array.from({ length: shardsOfCluster }, (_, shard) => `{${shard}}:`);
  const slots = tags.map(slotOf);
  const ofProject = (projectId: string, shard: number): string =>
    prefix + generationKey(projectId, tags[shard]);
  const shardOf = (userId: string): number => hashOf(userId) % shardsOfCluster;
  return {
    ...finder,
    shards: shardsOfCluster,
    slotOf: (shard) => slots[shard] ?? 0,
    userPlace(projectId, userId) {
      const shard = shardOf(userId);
      const key = prefix + userKey(projectId, userId, tags[shard]);
      return { shard, projectKey: ofProject(projectId, shard), key };
    },
    keyBeside: (userId, key) => `${prefix}${tags[shardOf(userId)] ?? ''}${key}`,
    generationKey: ofProject,
    agreementKey: (shard) => prefix + agreementKey(tags[shard]),
  };
}
