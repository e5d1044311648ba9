import { LRUCache } from 'lru-cache';
import type { Database } from '../create-database.ts';
import { readSources } from '../read-sources.ts';
import type { UserSources } from '../read-sources.ts';

/** What a user's sources were when they were read; of a user without a row `ref` is null. */
export type SourcesVersion = { ref: number | null; userVersion: number; projectVersion: number };

const maxUsers = 20_000;
/** Users of one project that one statement reads. */
const maxTogether = 25;

type Waiting = { userId: string; resolve: (read: UserSources) => void; reject: (error: unknown) => void };

export type SourceCopies = {
  /** What was read last of a user; undefined: nothing. Whether it still holds is told by the versions. */
  peek: (projectId: string, userId: string) => UserSources | undefined;
  read: (projectId: string, userId: string) => Promise<UserSources>;
  forget: (projectId: string, userId: string) => void;
};

const keyOf = (projectId: string, userId: string): string => `${projectId.length}:${projectId}${userId}`;

export const isCurrent = (read: UserSources, version: SourcesVersion): boolean =>
  read.userRef === version.ref &&
  read.userVersion === version.userVersion &&
  read.projectVersion === version.projectVersion;

/**
 * Copies of users' sources in this process. They are never trusted by themselves: under the lock of a state the versions
 * are read, and a copy that is older is read again. Users that are asked for in one turn of the event loop are read
 * together; one whose sources cannot be read fails alone.
 */
export function createSourceCopies(database: Pick<Database, '$queryJson'>): SourceCopies {
  const copies = new LRUCache<string, UserSources>({ max: maxUsers });
  const waiting = new Map<string, Waiting[]>();

  async function readAll(projectId: string, asked: readonly Waiting[]): Promise<void> {
    try {
      const read = await readSources(database, projectId, [...new Set(asked.map(({ userId }) => userId))]);
      for (const { userId, resolve, reject } of asked) {
        const sources = read.get(userId);
        if (sources === undefined) {
          reject(new Error('the project has no row'));
          continue;
        }
        copies.set(keyOf(projectId, userId), sources);
        resolve(sources);
      }
    } catch (error) {
      if (asked.length === 1) return asked[0]?.reject(error);
      await Promise.all(asked.map((one) => readAll(projectId, [one])));
    }
  }

  function readWaiting(projectId: string): void {
    const asked = waiting.get(projectId) ?? [];
    waiting.delete(projectId);
    for (let from = 0; from < asked.length; from += maxTogether)
      void readAll(projectId, asked.slice(from, from + maxTogether));
  }

  return {
    peek: (projectId, userId) => copies.get(keyOf(projectId, userId)),
    forget: (projectId, userId) => void copies.delete(keyOf(projectId, userId)),
    read: (projectId, userId) =>
      new Promise((resolve, reject) => {
        const asked = waiting.get(projectId);
        const one = { userId, resolve, reject };
        if (asked !== undefined) return void asked.push(one);
        waiting.set(projectId, [one]);
        setImmediate(() => readWaiting(projectId));
      }),
  };
}
