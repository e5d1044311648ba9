import { writeFileSync } from 'node:fs';
import { webhookSecret } from '../environment/set-up.ts';
import type { HttpClient } from './http-client.ts';
import { scratchFile } from './scratch-file.ts';
import { sign } from './signed-events.ts';
import type { Change, NextEvent } from './subscription-events.ts';

export const webhookPath = '/api/v1/webhooks/stripe';

/** Posts a change as Stripe does; throws unless it is answered 200. */
export async function deliver(client: HttpClient, { event }: Change): Promise<void> {
  const body = JSON.stringify(event);
  const headers = { 'content-type': 'application/json', 'stripe-signature': sign(body, webhookSecret) };
  const reply = await client.send({ method: 'POST', path: webhookPath, headers, body });
  if (reply.status !== 200) throw new Error(`The webhook answered ${reply.status}: ${reply.text}`);
}

/** Writes `count` signed events to a file for the load generator; returns its path. */
export function writeSignedEvents(nextEvent: NextEvent, count: number): string {
  const file = scratchFile('events.jsonl');
  const lines = Array.from({ length: count }, () => {
    const body = JSON.stringify(nextEvent().event);
    return JSON.stringify({ body, signature: sign(body, webhookSecret) });
  });
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}
