import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync } from 'node:fs';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { z } from 'zod';

/**
 * Loaded into the API before its own code (`--import`): writes to `BENCH_STRIPE_TIMES` how long each request that
 * carries `x-bench-id` waited for Stripe, from the client's first byte to the last of the answer, as Node's own
 * channels tell it. Nothing of the API is changed; the stripe package's own work counts as ours.
 */
type Waiting = { id: string; stripeMs: number };

const file = process.env['BENCH_STRIPE_TIMES'] ?? '';
const stripeHost = new URL(process.env['STRIPE_API_BASE'] ?? '').host;
const current = new AsyncLocalStorage<Waiting>();
const startedAt = new WeakMap<ClientRequest, { at: number; waiting: Waiting }>();

const requestSchema = z.custom<IncomingMessage>((value) => typeof value === 'object' && value !== null);
const clientRequestSchema = z.custom<ClientRequest>((value) => typeof value === 'object' && value !== null);
const served = z.object({ request: requestSchema });
const called = z.object({ request: clientRequestSchema });
const answered = z.object({ request: clientRequestSchema, response: requestSchema });

const waitings = new WeakMap<IncomingMessage, Waiting>();

subscribe('http.server.request.start', (message) => {
  const { request } = served.parse(message);
  const id = request.headers['x-bench-id'];
  if (typeof id !== 'string') return;
  const waiting = { id, stripeMs: 0 };
  waitings.set(request, waiting);
  current.enterWith(waiting);
});

subscribe('http.client.request.start', (message) => {
  const { request } = called.parse(message);
  const waiting = current.getStore();
  if (waiting !== undefined && request.getHeader('host') === stripeHost)
    startedAt.set(request, { at: performance.now(), waiting });
});

subscribe('http.client.response.finish', (message) => {
  const { request, response } = answered.parse(message);
  const started = startedAt.get(request);
  response.once('end', () => {
    if (started !== undefined) started.waiting.stripeMs += performance.now() - started.at;
  });
});

subscribe('http.server.response.finish', (message) => {
  const waiting = waitings.get(served.parse(message).request);
  if (waiting !== undefined) appendFileSync(file, `${JSON.stringify(waiting)}\n`);
});
