import { createHmac } from 'node:crypto';

import type { Delivery } from '../state/private-rows.ts';
import type { World } from '../world.ts';

const concurrency = 10;
const attemptTimeoutMs = 12_000;
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;
/** Stripe gives up after three days. */
const giveUpAfterMs = 3 * 86_400_000;

/** Where events go; the control changes it in place. */
export type WebhookTarget = {
  /** Null: nothing is delivered. */
  url: string | null;
  secret: string;
};

/** Stripe's `t=…,v1=…` over the exact bytes, at real time: each attempt gets a signature of its own. */
export function signatureHeader(
  payload: string,
  secret: string,
  atSeconds = Math.floor(Date.now() / 1000),
): string {
  const digest = createHmac('sha256', secret).update(`${atSeconds}.${payload}`, 'utf8').digest('hex');
  return `t=${atSeconds},v1=${digest}`;
}

function pauseMs(attempts: number): number {
  const grown = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempts - 1, 10));
  return grown * (0.75 + Math.random() * 0.25);
}

async function post(
  url: string,
  secret: string,
  request: { body: string; stopped: AbortSignal },
): Promise<number | null> {
  const { body, stopped } = request;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
        accept: '*/*; q=0.5, application/xml',
        'stripe-signature': signatureHeader(body, secret),
      },
      body,
      redirect: 'manual',
      signal: AbortSignal.any([stopped, AbortSignal.timeout(attemptTimeoutMs)]),
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return null;
  }
}

/** Notes what an attempt was answered (null: nothing), and plans the next one. */
function recordAttempt(world: World, delivery: Delivery, status: number | null): void {
  const { deliveries, events, receipts } = world.tables;
  if (deliveries.get(delivery.id) === undefined) return;
  if (status !== null && status >= 200 && status < 300) {
    deliveries.remove(delivery.id);
    receipts.insert({ id: delivery.event_id });
    const event = events.get(delivery.event_id);
    if (event !== undefined) events.update(event, { pending_webhooks: 0 });
    return;
  }
  const attempts = delivery.attempts + 1;
  const isOver = Date.now() - delivery.first_attempt_at_ms > giveUpAfterMs;
  // Once per event and outage: the retries in between say nothing new.
  if (attempts === 1 || isOver) {
    world.logger.warn('webhook_attempt_failed', {
      event_id: delivery.event_id,
      attempts,
      status,
      gave_up: isOver,
    });
  }
  if (isOver) deliveries.remove(delivery.id);
  else deliveries.update(delivery, { attempts, next_attempt_at_ms: Date.now() + pauseMs(attempts) });
}

export type Deliverer = {
  /** Looks for work soon; call after a delivery was queued. */
  wake(): void;
  /** Drops what is not delivered yet: those events stay listed as undelivered. */
  dropPending(): void;
  stop(): Promise<void>;
};

/** Delivers queued events, several at once and in no promised order, until the receiver answers 2xx. */
export function createDeliverer(world: World, target: WebhookTarget): Deliverer {
  const { deliveries, events } = world.tables;
  const running = new Map<string, Promise<void>>();
  const stopping = new AbortController();
  const stopped = stopping.signal;
  let timer: NodeJS.Timeout | undefined;

  async function attempt(delivery: Delivery): Promise<void> {
    const event = events.get(delivery.event_id);
    const { url, secret } = target;
    if (event === undefined || url === null) {
      deliveries.remove(delivery.id);
      return;
    }
    const status = await post(url, secret, { body: JSON.stringify(event, null, 2), stopped });
    if (!stopped.aborted) recordAttempt(world, delivery, status);
  }

  const start = (delivery: Delivery): Promise<void> =>
    attempt(delivery).finally(() => {
      running.delete(delivery.id);
      wake();
    });

  function run(): void {
    if (stopped.aborted) return;
    let soonest = Number.POSITIVE_INFINITY;
    for (const delivery of deliveries.each()) {
      if (running.size >= concurrency) return;
      if (running.has(delivery.id)) continue;
      if (delivery.next_attempt_at_ms <= Date.now()) running.set(delivery.id, start(delivery));
      else soonest = Math.min(soonest, delivery.next_attempt_at_ms);
    }
    if (Number.isFinite(soonest)) schedule(soonest - Date.now());
  }

  function schedule(inMs: number): void {
    clearTimeout(timer);
    timer = setTimeout(run, Math.max(0, inMs));
    timer.unref();
  }

  function wake(): void {
    if (!stopped.aborted) schedule(0);
  }

  return {
    wake,
    dropPending: () => {
      for (const delivery of deliveries.all()) deliveries.remove(delivery.id);
    },
    stop: async () => {
      stopping.abort();
      clearTimeout(timer);
      await Promise.all(running.values());
    },
  };
}
