import { stripeEvent, subscriptionObject } from '@billing/testing';
import type { ApiClient } from './api-client.ts';
import { uniqueId } from './shop.ts';
import type { Shop } from './shop.ts';

export type Sent = { eventId: string; status: number; ms: number; retryAfter: string | null };
export type Sender = {
  /** The ids of what was sent. */
  events: { accepted: string[]; refused: string[] };
  /** Sends an event, by default a new one. Throws where no answer came. */
  send: (client: Pick<ApiClient, 'webhook'>, event?: { id: string }) => Promise<Sent>;
};

/** Sends events past Stripe, one new subscription each, and remembers which of them got a 2xx. */
export function createSender(shop: Pick<Shop, 'projectId' | 'stripePriceId'>): Sender {
  const accepted: string[] = [];
  const refused: string[] = [];

  const nextEvent = () =>
    stripeEvent({
      type: 'customer.subscription.created',
      object: subscriptionObject({
        id: uniqueId('sub'),
        customer: uniqueId('cus'),
        metadata: { user_id: uniqueId('sender'), project_id: shop.projectId },
        items: [{ priceId: shop.stripePriceId }],
      }),
    });

  const send: Sender['send'] = async (client, event = nextEvent()) => {
    const { status, ms, headers } = await client.webhook(event).catch((error: unknown) => {
      refused.push(event.id);
      throw error;
    });
    (status === 200 ? accepted : refused).push(event.id);
    return { eventId: event.id, status, ms, retryAfter: headers.get('retry-after') };
  };

  return { events: { accepted, refused }, send };
}

export type Repeated = { stop: () => Promise<void> };

/** Repeats `work` in the background; `stop` waits for the last turn and passes its error on. */
export function repeat(work: () => Promise<unknown>): Repeated {
  const ending = new AbortController();
  const running = (async () => {
    while (!ending.signal.aborted) await work();
  })();
  // Reported by `stop`; until then it must not end the process.
  running.catch(() => undefined);
  return {
    stop: async () => {
      ending.abort();
      await running;
    },
  };
}
