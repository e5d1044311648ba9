import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import { Stripe } from 'stripe';
import { z } from 'zod';

import { createOfflineStripe } from './index.ts';

export const secret = 'whsec_test_secret';

export type Receiver = {
  url: string;
  /** Events whose signature the stripe package has verified, in order of arrival. */
  events: Stripe.Event[];
  badSignatures: number;
  /** What to answer next; 200 when empty. */
  answers: number[];
  types(): string[];
  close(): Promise<void>;
};

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

export async function startReceiver(port = 0): Promise<Receiver> {
  const stripe = new Stripe('sk_test_receiver');
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request);
    const status = receiver.answers.shift() ?? 200;
    if (status < 300) {
      try {
        receiver.events.push(
          stripe.webhooks.constructEvent(body, String(request.headers['stripe-signature']), secret),
        );
      } catch {
        receiver.badSignatures += 1;
      }
    }
    response.writeHead(status).end('{}');
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : 0;
  const receiver: Receiver = {
    url: `http://127.0.0.1:${bound}/webhooks`,
    events: [],
    badSignatures: 0,
    answers: [],
    types: () => receiver.events.map((event) => event.type),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}

export type Offline = {
  url: string;
  port: number;
  stripe: Stripe;
  receiver: Receiver;
  /** Calls a control; rejects if it is refused. */
  control(path: string, body?: object): Promise<Record<string, unknown>>;
  advance(seconds: number): Promise<void>;
  /** Types of all events so far, oldest first. */
  eventTypes: () => Promise<string[]>;
  stop(): Promise<void>;
  close(): Promise<void>;
};

export function clientFor(port: number, apiKey = 'sk_test_offline'): Stripe {
  return new Stripe(apiKey, {
    host: '127.0.0.1',
    port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
  });
}

/** A running offline Stripe with a webhook receiver and the real stripe package talking to it. */
export async function startOffline(stateDir: string | null = null, known?: Receiver): Promise<Offline> {
  const receiver = known ?? (await startReceiver());
  const listening = await createOfflineStripe({
    stateDir,
    webhookUrl: receiver.url,
    webhookSecret: secret,
  }).listen(0);
  const stripe = clientFor(listening.port);
  const control = async (path: string, body?: object): Promise<Record<string, unknown>> => {
    const response = await fetch(`${listening.url}/_offline/${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = z.record(z.string(), z.unknown()).parse(await response.json());
    if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  };
  return {
    url: listening.url,
    port: listening.port,
    stripe,
    receiver,
    control,
    advance: async (seconds) => {
      await control('clock', { advance_seconds: seconds });
    },
    eventTypes: async () => {
      const events = await stripe.events.list({ limit: 100 }).autoPagingToArray({ limit: 1_000 });
      return events.map((event) => event.type).reverse();
    },
    stop: () => listening.close(),
    close: async () => {
      await listening.close();
      await receiver.close();
    },
  };
}

/** Waits until a condition holds, within ten seconds. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Timed out waiting until ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}

/** The id in a field that was not expanded. */
export function idOf(expandable: string | { id: string } | null): string {
  return typeof expandable === 'string' ? expandable : (expandable?.id ?? '');
}

export type Catalog = {
  customer: Stripe.Customer;
  monthly: Stripe.Price;
  yearly: Stripe.Price;
  once: Stripe.Price;
};

export async function seed(stripe: Stripe): Promise<Catalog> {
  const customer = await stripe.customers.create({
    email: 'payer@example.com',
    metadata: { user_id: 'user_1' },
  });
  const product = await stripe.products.create({ name: 'Pro <plan>' });
  const [monthly, yearly, once] = await Promise.all([
    stripe.prices.create({
      product: product.id,
      currency: 'usd',
      unit_amount: 2000,
      recurring: { interval: 'month' },
    }),
    stripe.prices.create({
      product: product.id,
      currency: 'usd',
      unit_amount: 20_000,
      recurring: { interval: 'year' },
    }),
    stripe.prices.create({ product: product.id, currency: 'usd', unit_amount: 4900 }),
  ]);
  return { customer, monthly, yearly, once };
}

export async function openCheckout(
  offline: Offline,
  catalog: Catalog,
  more: Partial<Stripe.Checkout.SessionCreateParams> = {},
): Promise<Stripe.Checkout.Session> {
  return offline.stripe.checkout.sessions.create({
    mode: 'subscription',
    customer: catalog.customer.id,
    line_items: [{ price: catalog.monthly.id, quantity: 1 }],
    success_url: 'http://127.0.0.1:9/done?session={CHECKOUT_SESSION_ID}',
    cancel_url: 'http://127.0.0.1:9/cancel',
    ...more,
  });
}

/** Pays a checkout for a subscription and gives back the subscription. */
export async function subscribe(
  offline: Offline,
  catalog: Catalog,
  more: Partial<Stripe.Checkout.SessionCreateParams> = {},
): Promise<Stripe.Subscription> {
  const session = await openCheckout(offline, catalog, more);
  const paid = await offline.control(`checkout/sessions/${session.id}/pay`, {});
  return offline.stripe.subscriptions.retrieve(String(paid['subscription']));
}
