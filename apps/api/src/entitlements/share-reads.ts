import { LRUCache } from 'lru-cache';
import pLimit from 'p-limit';
import type { LimitFunction } from 'p-limit';

/** Of the connections of a process, what the reads of one project may hold: the rest is left to the other ones. */
const shareOfPool = 0.8;

/** Projects whose reads are counted at a time; with more, those of the one that is longest not used are counted anew. */
const maxProjects = 10_000;

/** How many connections the reads of one project may hold. */
export const readsOfOneProject = (poolSize: number): number =>
  Math.max(1, Math.min(poolSize - 1, Math.floor(poolSize * shareOfPool)));

/** Runs a read as soon as its project holds fewer connections than its share. */
export type ShareReads = <T>(projectId: string, read: () => Promise<T>) => Promise<T>;

/**
 * Lets no project hold all connections: where one's reads are slow the other ones find a free connection. A read holds its
 * connection until Postgres is done with it, also where nobody waits for it any more.
 */
export function createReadShares(poolSize: number): ShareReads {
  const limits = new LRUCache<string, LimitFunction>({ max: maxProjects });
  return (projectId, read) => {
    const limit = limits.get(projectId) ?? pLimit(readsOfOneProject(poolSize));
    limits.set(projectId, limit);
    return limit(read);
  };
}
