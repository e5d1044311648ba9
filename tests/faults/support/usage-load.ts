import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Repeated } from './load.ts';
import { repeat } from './load.ts';
import { uniqueId } from './shop.ts';
import type { Shop } from './shop.ts';
import { createUsageClient } from './usage-client.ts';

/** What was answered: the events that a 200 acknowledged, those that a queue has, and those that were refused. */
export type Acknowledged = {
  taken: Map<string, { userId: string; quantity: number }>;
  queued: Map<string, { userId: string; quantity: number }>;
  denied: Set<string>;
  statuses: Map<number | 'none', number>;
  slowestMs: number;
  /** Answers that tell less than an answer of the same process before. */
  fallen: string[];
};

export const nothingAcknowledged = (): Acknowledged => ({
  taken: new Map(),
  queued: new Map(),
  denied: new Set(),
  statuses: new Map(),
  slowestMs: 0,
  fallen: [],
});

const useAnswer = z.object({ recorded: z.boolean(), usage_seq: z.number() });
const checkAnswer = z.object({ usage_seq: z.number() });

type Place = {
  shop: Pick<Shop, 'apiKey'>;
  urls: readonly string[];
  userIds: readonly string[];
  seen: Acknowledged;
};

/** One caller of one process: an event, sent again by its id until it is known what became of it, and a check. */
function caller({ shop, urls, userIds, seen }: Place, index: number): Repeated {
  const url = urls[index % urls.length] ?? '';
  const client = createUsageClient(url, shop.apiKey);
  const shown = new Map<string, number>();
  const ending = new AbortController();

  async function send(event: { event_id: string; user_id: string; quantity: number; mode: string }) {
    const answer = await client.use(event).catch(() => null);
    const status = answer?.status ?? 'none';
    seen.statuses.set(status, (seen.statuses.get(status) ?? 0) + 1);
    if (answer === null) return false;
    seen.slowestMs = Math.max(seen.slowestMs, answer.ms);
    const { event_id: id, user_id: userId, quantity } = event;
    if (answer.status === 202) seen.queued.set(id, { userId, quantity });
    if (answer.status !== 200) return answer.status === 202;
    const { recorded, usage_seq: seq } = useAnswer.parse(answer.body);
    if (recorded) seen.taken.set(id, { userId, quantity });
    else seen.denied.add(id);
    if (seq < (shown.get(userId) ?? 0)) seen.fallen.push(`${userId}: ${seq} after ${shown.get(userId)}`);
    shown.set(userId, Math.max(seq, shown.get(userId) ?? 0));
    return true;
  }

  async function look(userId: string): Promise<void> {
    const answer = await client.check(userId).catch(() => null);
    if (answer?.status !== 200) return;
    const { usage_seq: seq } = checkAnswer.parse(answer.body);
    const before = shown.get(userId) ?? 0;
    if (seq < before) seen.fallen.push(`check of ${userId}: ${seq} after ${before}`);
    shown.set(userId, Math.max(seq, before));
  }

  let turn = index;
  const running = repeat(async () => {
    turn += 1;
    const userId = userIds[turn % userIds.length] ?? '';
    const event = {
      event_id: uniqueId('e'),
      user_id: userId,
      quantity: 1 + (turn % 3),
      mode: turn % 2 === 0 ? 'enforce' : 'record',
    };
    // In doubt it is the same event: nobody may count it twice.
    while (!(await send(event)) && !ending.signal.aborted) await sleep(50);
    await look(userId);
  });
  return {
    stop: () => {
      ending.abort();
      return running.stop();
    },
  };
}

/** Callers of all processes, until they are stopped. */
export function useMuch(place: Place, callers: number): Repeated {
  const all = Array.from({ length: callers }, (_one, index) => caller(place, index));
  return { stop: async () => void (await Promise.all(all.map((one) => one.stop()))) };
}
