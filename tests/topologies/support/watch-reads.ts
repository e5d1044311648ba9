import { setTimeout as sleep } from 'node:timers/promises';
import { bodyOf, cacheOf } from '../../faults/support/api-client.ts';
import type { ApiClient } from '../../faults/support/api-client.ts';
import { uniqueId } from '../../faults/support/shop.ts';
import type { Shop } from '../../faults/support/shop.ts';

/** How late a read may be at most: what was committed earlier has to be in it. */
const freshMs = 1_000;

type Write = { version: number; committedAt: number };

export type Watch = {
  /** Writes once for each user; throws nothing where the write failed, which then counts for nothing. */
  writeAll: (writer: ApiClient) => Promise<void>;
  /** What was wrong with reads since the start. */
  stale: string[];
  backwards: string[];
  failed: string[];
  counts: { hits: number; reads: number };
  resetCounts: () => void;
  stop: () => Promise<void>;
};

/**
 * Reads users at each client again and again, and compares each answer with what was committed more than a second before
 * the read began, and with what the same client was told before.
 */
export function watchReads(
  shop: Shop,
  {
    clients,
    users,
    pauseMs = 20,
  }: { clients: readonly ApiClient[]; users: readonly string[]; pauseMs?: number },
): Watch {
  const writes = new Map<string, Write[]>(users.map((user) => [user, []]));
  const watch: Omit<Watch, 'writeAll' | 'stop' | 'resetCounts'> = {
    stale: [],
    backwards: [],
    failed: [],
    counts: { hits: 0, reads: 0 },
  };
  const stopping = new AbortController();

  async function read(client: ApiClient, user: string, seen: Map<string, number>): Promise<void> {
    const startedAt = performance.now();
    const answer = await client.check(shop.apiKey, user);
    if (answer.status === 503) return;
    if (answer.status !== 200)
      return void watch.failed.push(`${answer.status} ${JSON.stringify(answer.body)}`);
    const { version, entitlements } = bodyOf(answer);
    const kind = cacheOf(answer);
    watch.counts.reads += 1;
    if (kind === 'hit') watch.counts.hits += 1;
    const least = (writes.get(user) ?? []).filter(
      ({ committedAt }) => committedAt < startedAt - freshMs,
    ).length;
    if (entitlements.length < least)
      watch.stale.push(
        `${client.url} ${user}: ${entitlements.length} of ${least} grants, ${kind}, version ${version}`,
      );
    if (version < (seen.get(user) ?? 0))
      watch.backwards.push(`${client.url} ${user}: ${version} after ${seen.get(user)}, ${kind}`);
    seen.set(user, Math.max(version, seen.get(user) ?? 0));
  }

  const running = clients.map(async (client) => {
    const seen = new Map<string, number>();
    while (!stopping.signal.aborted) {
      for (const user of users) await read(client, user, seen);
      await sleep(pauseMs);
    }
  });

  return {
    ...watch,
    async writeAll(writer) {
      await Promise.all(
        users.map(async (user) => {
          try {
            await shop.grant(user, uniqueId('feature'), writer);
          } catch {
            return;
          }
          writes.get(user)?.push({ version: 0, committedAt: performance.now() });
        }),
      );
    },
    resetCounts: () => Object.assign(watch.counts, { hits: 0, reads: 0 }),
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}
