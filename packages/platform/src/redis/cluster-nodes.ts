import { Cluster, Command } from 'ioredis';
import type { Redis } from 'ioredis';
import type { RedisClient } from './connect-redis.ts';

/** The slot of a Redis Cluster in which a key lies, the prefix included. */
export const slotOf = (key: string): number => new Command('get', [key]).getSlot();

export type NodeFinder = {
  /** The connection to the primary that has this slot, as far as is known; null: none has it. */
  primaryOf: (slot: number) => Redis | null;
  /** The primaries that are known. */
  primaries: () => Redis[];
  /** Asks the cluster which node has which slot. Never throws. */
  refresh: () => void;
};

const addressOf = ({ options }: Redis): string => `${options.host}:${options.port}`;

/** Finds nodes of a Redis Cluster; one server has all slots. */
export function createNodeFinder(redis: RedisClient): NodeFinder {
  if (!(redis instanceof Cluster))
    return { primaryOf: () => redis, primaries: () => [redis], refresh: () => undefined };
  const nodes = new Map<string, Redis>();
  for (const node of redis.nodes()) nodes.set(addressOf(node), node);
  redis.on('+node', (node: Redis) => nodes.set(addressOf(node), node));
  redis.on('-node', (node: Redis) => {
    if (nodes.get(addressOf(node)) === node) nodes.delete(addressOf(node));
  });
  return {
    primaryOf: (slot) => nodes.get(redis.slots[slot]?.[0] ?? '') ?? null,
    primaries: () => redis.nodes('master'),
    refresh: () => redis.refreshSlotsCache(() => undefined),
  };
}

/** The server that holds a key; null: it is not known now. */
export function nodeOfKey(redis: RedisClient, key: string): Redis | null {
  return createNodeFinder(redis).primaryOf(slotOf(key));
}
