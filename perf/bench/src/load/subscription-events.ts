import { randomBytes } from 'node:crypto';
import { projectEvent } from '@billing/domain';
import { stripeEvent, subscriptionObject } from '@billing/testing';
import type { Queue } from 'bullmq';
import type { Seeded } from '../environment/seed.ts';

const daySeconds = 86_400;
export const subscriptionEventType = 'customer.subscription.updated';

export type Change = {
  event: Record<string, unknown>;
  eventId: string;
  subscriptionId: string;
  userId: string;
  quantity: number;
};
export type NextEvent = () => Change;

/**
 * Events about the seeded subscriptions in turn, each newer than all before it, so that none needs a read from
 * Stripe. `quantity` differs, so that every event changes its user's answer.
 */
export function createSubscriptionEvents(seeded: Seeded): NextEvent {
  const run = randomBytes(5).toString('hex');
  const startedAt = Math.floor(Date.now() / 1000);
  let count = 0;
  return () => {
    const number = (count % seeded.subscribedCount) + 1;
    const lap = Math.floor(count / seeded.subscribedCount);
    count += 1;
    const subscriptionId = `${seeded.subscriptionPrefix}${number}`;
    const eventId = `evt_${run}_${count}`;
    const object = subscriptionObject({
      id: subscriptionId,
      customer: `${seeded.customerPrefix}${number}`,
      items: [
        {
          id: `${seeded.itemPrefix}${number}_1`,
          priceId: seeded.stripePrice,
          quantity: lap + 2,
          start: startedAt - daySeconds,
          end: startedAt + 29 * daySeconds,
        },
      ],
      metadata: { user_id: `${seeded.userPrefix}${number}`, project_id: seeded.projectId },
      created: startedAt - daySeconds,
    });
    const event = stripeEvent({
      id: eventId,
      type: subscriptionEventType,
      object,
      created: startedAt + lap,
    });
    return { event, eventId, subscriptionId, userId: `${seeded.userPrefix}${number}`, quantity: lap + 2 };
  };
}

const atOnce = 500;

/** Adds `count` events to the queue, as the API enqueues them. */
export async function fillQueue(queue: Queue, nextEvent: NextEvent, count: number): Promise<void> {
  for (let left = count; left > 0; left -= atOnce)
    await queue.addBulk(
      Array.from({ length: Math.min(left, atOnce) }, () => {
        const event = projectEvent(nextEvent().event);
        const data = { event, received_at: new Date().toISOString() };
        return { name: String(event['type']), data, opts: { jobId: String(event['id']) } };
      }),
    );
}
