import type { NodeLink } from '../../redis/node-links.ts';
import { nameServer } from '../../redis/node-links.ts';
import type { Places } from '../places.ts';

/** What was agreed of a shard, as its own server keeps it. */
export type Kept = { timeline: string; generation: string };

/** A server that comes back later is believed no more. */
const keptMs = 60_000;
const keepEveryMs = 15_000;

const form = /^([0-9A-F]{8}) ([\w-]+\.[0-9a-z]+)$/;

export type KeptAgreement = ReturnType<typeof createKeptAgreement>;

type KeptDeps = { places: Places; linkOf: (shard: number) => NodeLink | null };

/**
 * Keeps what was agreed at the servers themselves for a minute, for a process that starts while Postgres is away: it has
 * nobody else to ask. Nothing here throws.
 */
export function createKeptAgreement({ places, linkOf }: KeptDeps) {
  let keptAt = -Infinity;
  let lastKept = '';

  return {
    /** `generations`: by shard; null: nothing is agreed. */
    async keep(timeline: string, generations: readonly (string | null)[]): Promise<void> {
      const all = generations.join(' ');
      if (all === lastKept && performance.now() - keptAt < keepEveryMs) return;
      lastKept = all;
      keptAt = performance.now();
      await Promise.all(
        generations.map(async (generation, shard) => {
          const link = linkOf(shard);
          if (generation === null || link?.redis.status !== 'ready') return;
          const value = `${timeline} ${generation}`;
          await link.redis.set(places.agreementKey(shard), value, 'PX', keptMs).catch(() => null);
        }),
      );
    },
    /** What the servers in use have kept of themselves; null: none that can be believed. */
    read: (): Promise<(Kept | null)[]> =>
      Promise.all(
        Array.from({ length: places.shards }, async (_, shard) => {
          const link = linkOf(shard);
          const id = link?.state?.id;
          if (link?.redis.status !== 'ready' || id === undefined || id === null) return null;
          const text = await link.redis.get(places.agreementKey(shard)).catch(() => null);
          const [, timeline = '', generation = ''] = form.exec(text ?? '') ?? [];
          const isOfServer = generation.startsWith(`${nameServer(id, timeline)}.`);
          return isOfServer ? { timeline, generation } : null;
        }),
      ),
  };
}
