import { randomBytes } from 'node:crypto';
import { stripeEvent, subscriptionObject } from '@billing/testing';
import type { Seeded } from '../environment/seed.ts';

const daySeconds = 86_400;
export const subscriptionEventType = 'customer.subscription.updated';

/**
 * Events about the seeded subscriptions, one after another, each newer than all before it: the plain path, which
 * needs no read from Stripe. `quantity` differs, so that every event changes its user's answer.
 */
export function createSubscriptionEvents(seeded: Seeded) {
  const run = randomBytes(5).toString('hex');
  const startedAt = Math.floor(Date.now() / 1000);
  let count = 0;
  return () => {
    const number = (count % seeded.subscribedCount) + 1;
    const lap = Math.floor(count / seeded.subscribedCount);
    count += 1;
    const object = subscriptionObject({
      id: `${seeded.subscriptionPrefix}${number}`,
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
      id: `evt_${run}_${count}`,
      type: subscriptionEventType,
      object,
      created: startedAt + lap,
    });
    return { event, userId: `${seeded.userPrefix}${number}`, quantity: lap + 2 };
  };
}
