import { projectEvent } from '@billing/domain';
import type { Queue } from 'bullmq';

const atOnce = 500;

/** Adds `count` events to the queue, as the API enqueues them. */
export async function fillQueue(
  { queue, next }: { queue: Queue; next: () => object },
  count: number,
): Promise<void> {
  for (let left = count; left > 0; left -= atOnce)
    await queue.addBulk(
      Array.from({ length: Math.min(left, atOnce) }, () => {
        const event = projectEvent({ ...next() });
        const data = { event, received_at: new Date().toISOString() };
        return { name: String(event['type']), data, opts: { jobId: String(event['id']) } };
      }),
    );
}
