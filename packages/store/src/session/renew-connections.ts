import type { Range } from '@billing/platform';
import type { Client, Pool } from 'pg';

type RenewalOptions = {
  pool: Pool;
  /** After how long a connection is replaced, in seconds: drawn for each. */
  connectionSeconds: Range;
  /** Opens the successor of a connection, which the pool takes next. */
  openSpare: () => Promise<void>;
  hasSpare: () => boolean;
};

export type Renewal = {
  /** Whether a connection is to be closed instead of going back to the pool. */
  isOutdated: (client: Client) => boolean;
  /** Replaces every connection: those in use once they are released. */
  renewAll: () => void;
};

const retryMs = 1_000;
const msBetween = ({ min, max }: Range): number => 1_000 * (min + Math.random() * (max - min));

/**
 * Replaces the connections of a pool, each at an age of its own, one at a time, and only once its successor is open: plans that
 * were made on a small table, and connections to a place that a name no longer leads to, do not outlive that. A successor that
 * can't be opened is tried again each second; the connection stays as long.
 */
export function renewConnections({ pool, connectionSeconds, openSpare, hasSpare }: RenewalOptions): Renewal {
  const timers = new Map<Client, NodeJS.Timeout>();
  const outdated = new WeakSet<Client>();
  let queue = Promise.resolve();

  const renewIn = (client: Client, ms: number): void => {
    const timer = setTimeout(() => {
      queue = queue.then(() => renew(client));
    }, ms);
    timers.set(client, timer.unref());
  };

  async function renew(client: Client): Promise<void> {
    if (!timers.has(client) || pool.ending) return;
    try {
      await openSpare();
      outdated.add(client);
      await sortIdle();
    } catch {
      renewIn(client, retryMs);
    }
  }

  /** Takes all idle connections out, for a moment: the outdated ones are closed, and spares get into their places. */
  async function sortIdle(): Promise<void> {
    const taken = await Promise.allSettled(Array.from({ length: pool.idleCount }, () => pool.connect()));
    const held = taken.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    for (const client of held.filter((one) => outdated.has(one))) client.release(true);
    const kept = held.filter((one) => !outdated.has(one));
    if (hasSpare() && pool.totalCount < pool.options.max && !pool.ending)
      kept.push(
        ...(await pool.connect().then(
          (client) => [client],
          () => [],
        )),
      );
    for (const client of kept) client.release(outdated.has(client));
  }

  pool.on('connect', (client) => renewIn(client, msBetween(connectionSeconds)));
  pool.on('remove', (client) => {
    clearTimeout(timers.get(client));
    timers.delete(client);
  });

  return {
    isOutdated: (client) => outdated.has(client),
    renewAll: () => {
      for (const client of timers.keys()) outdated.add(client);
      queue = queue.then(sortIdle).catch(() => undefined);
    },
  };
}
