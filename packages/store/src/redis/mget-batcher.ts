import { Command } from 'ioredis';
import type { Redis } from 'ioredis';

type Waiting = { keys: readonly string[]; slot: number; answer: (values: Values) => void };

/** One value (null: none) per key, or why Redis did not answer. */
export type Values = { values: readonly (string | null)[] } | { error: unknown };

/** One command must not hold Redis up for long. */
const maxReaders = 256;

/** Reads keys of one slot; `answer` is called once, with values in the order of the keys. Never throws. */
export type Mget = (keys: readonly string[], answer: (values: Values) => void, slot?: number) => void;

/**
 * Joins the reads of many requests into one `MGET` at a time: reads that arrive while one is in flight form the next.
 * Under load this is one command, one write and one reply for dozens of requests, which costs a fraction of as many
 * commands, even pipelined ones. A single read does not wait. A node of a Redis Cluster gets one command for each slot,
 * all in one write.
 */
export function createMgetBatcher(redis: Redis): Mget {
  let waiting: Waiting[] = [];
  let isInFlight = false;
  const options = { replyEncoding: 'utf8', keyPrefix: redis.options.keyPrefix ?? '' } as const;

  function sendNext(): void {
    const readers = waiting.length > maxReaders ? waiting.splice(0, maxReaders) : waiting;
    if (readers === waiting) waiting = [];
    if (readers.length > 0) void send(readers);
    else isInFlight = false;
  }

  /** Returns the values of the slot's keys, or what prevented them. */
  async function sendSlot(readers: readonly Waiting[]): Promise<Sent> {
    const positions = new Map<string, number>();
    for (const { keys } of readers)
      for (const key of keys) if (!positions.has(key)) positions.set(key, positions.size);
    try {
      // Not `redis.mget`: autopipelining would hold it back for one more turn of the event loop.
      const found = toValues(await redis.sendCommand(new Command('mget', [...positions.keys()], options)));
      return { readers, found, positions };
    } catch (error) {
      return { readers, error };
    }
  }

  async function send(readers: readonly Waiting[]): Promise<void> {
    const slots = bySlot(readers);
    if (slots.length > 1) {
      const { stream } = redis;
      stream.cork();
      process.nextTick(() => stream.uncork());
    }
    const sent = await Promise.all(slots.map(sendSlot));
    const lost = sent.find((one) => 'error' in one && !isRefusal(one.error));
    // First the next command, so that Redis works while this side answers. Without an answer the waiting reads would meet
    // the same failure.
    if (lost === undefined) sendNext();
    else sent.push({ readers: waiting.splice(0), error: 'error' in lost ? lost.error : null });
    if (lost !== undefined) isInFlight = false;
    for (const one of sent) answerAll(one);
  }

  return (keys, answer, slot = 0) => {
    waiting.push({ keys, slot, answer });
    if (isInFlight) return;
    isInFlight = true;
    // After this turn of the event loop, so that all its reads go together.
    setImmediate(sendNext);
  };
}

type Sent = { readers: readonly Waiting[] } & (
  { found: readonly (string | null)[]; positions: ReadonlyMap<string, number> } | { error: unknown }
);

function answerAll(sent: Sent): void {
  if ('error' in sent) return sent.readers.forEach(({ answer }) => answer({ error: sent.error }));
  const { readers, found, positions } = sent;
  for (const { keys, answer } of readers)
    answer({ values: keys.map((key) => found[positions.get(key) ?? -1] ?? null) });
}

/** The server answered, if not with what was asked. */
const isRefusal = (error: unknown): boolean => error instanceof Error && error.name === 'ReplyError';

function bySlot(readers: readonly Waiting[]): (readonly Waiting[])[] {
  const first = readers[0]?.slot;
  if (readers.every(({ slot }) => slot === first)) return [readers];
  const slots = new Map<number, Waiting[]>();
  for (const reader of readers) {
    const known = slots.get(reader.slot);
    if (known === undefined) slots.set(reader.slot, [reader]);
    else known.push(reader);
  }
  return [...slots.values()];
}

function toValues(reply: unknown): (string | null)[] {
  if (!Array.isArray(reply)) throw new Error('Redis did not answer MGET with a list');
  return reply.map((value: unknown) => (typeof value === 'string' ? value : null));
}
