import { Command } from 'ioredis';
import type { Redis } from 'ioredis';

type Waiting = { keys: readonly string[]; settle: (values: Values) => void };

/** One value (null: none) per key, or why Redis did not answer. */
export type Values = { values: readonly (string | null)[] } | { error: unknown };

/** One command must not hold Redis up for long. */
const maxReaders = 256;

/**
 * Joins what all requests of one turn of the event loop want to know of Redis into one `MGET`: parsing and
 * waiting for one reply costs a fraction of as many commands, even pipelined ones. A lone reader waits for nobody:
 * the turn ends at once.
 */
export function createJointGet(redis: Redis) {
  let waiting: Waiting[] = [];

  async function send(readers: readonly Waiting[]): Promise<void> {
    const positions = new Map<string, number>();
    for (const { keys } of readers)
      for (const key of keys) if (!positions.has(key)) positions.set(key, positions.size);
    let found: readonly (string | null)[];
    try {
      // Not `redis.mget`: autopipelining would hold it back for one more turn.
      const command = new Command('mget', [...positions.keys()], { replyEncoding: 'utf8' });
      found = toValues(await redis.sendCommand(command));
    } catch (error) {
      for (const { settle } of readers) settle({ error });
      return;
    }
    for (const { keys, settle } of readers)
      settle({ values: keys.map((key) => found[positions.get(key) ?? -1] ?? null) });
  }

  function flush(): void {
    const readers = waiting;
    waiting = [];
    for (let from = 0; from < readers.length; from += maxReaders)
      void send(readers.slice(from, from + maxReaders));
  }

  /** Reads keys; `settle` is called once, with values in the order of the keys. Never throws. */
  return (keys: readonly string[], settle: (values: Values) => void): void => {
    waiting.push({ keys, settle });
    if (waiting.length === 1) setImmediate(flush);
  };
}

function toValues(reply: unknown): (string | null)[] {
  if (!Array.isArray(reply)) throw new Error('Redis did not answer MGET with a list');
  return reply.map((value: unknown) => (typeof value === 'string' ? value : null));
}
