import { createHmac, randomBytes } from 'node:crypto';
import { stripeEvent, subscriptionObject } from '@billing/testing';

const idMark = '__EVENT_ID__';
const eventBytes = 6_000;

/** An event as large as Stripe's own; filler stands for the fields that do not matter here. */
function eventTemplate(): string {
  const subscription = { ...subscriptionObject(), filler: '' };
  const event = () =>
    JSON.stringify(stripeEvent({ id: idMark, type: 'customer.subscription.updated', object: subscription }));
  subscription.filler = 'x'.repeat(Math.max(0, eventBytes - event().length));
  return event();
}

/** Signs as Stripe does: HMAC-SHA256 over `<timestamp>.<body>`. */
export function sign(body: string, secret: string): string {
  const at = Math.floor(Date.now() / 1000);
  return `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`;
}

/** Events that differ in their id, each signed. */
export function createSignedEvents(secret: string): () => { body: string; signature: string } {
  const [head = '', tail = ''] = eventTemplate().split(idMark);
  const run = randomBytes(6).toString('hex');
  let count = 0;
  return () => {
    count += 1;
    const body = `${head}evt_${run}_${count}${tail}`;
    return { body, signature: sign(body, secret) };
  };
}
