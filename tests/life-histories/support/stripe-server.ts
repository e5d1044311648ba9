import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Life } from './life.ts';
import type { StripeObject } from './stripe-objects.ts';

/** How Stripe answers about one life: with its objects, with 404, or with 503. */
type Mood = 'answers' | 'missing' | 'away';

/**
 * A life at Stripe. `seen` is the newest delivered event: Stripe's answers are at least as new, as an event
 * reports only what has happened. `isAhead`: they are of the end of the story.
 */
export type Hosted = { life: Life; mood: Mood; seen: number; isAhead: boolean };

const listed: Record<string, string> = {
  subscriptions: 'subscription',
  subscription_items: 'subscription_item',
  invoices: 'invoice',
  invoice_payments: 'invoice_payment',
  payment_intents: 'payment_intent',
  charges: 'charge',
  refunds: 'refund',
  disputes: 'dispute',
  'checkout/sessions': 'checkout.session',
};

const references = ['schedule', 'latest_invoice', 'payment_intent', 'latest_charge', 'charge', 'invoice'];

export type StripeServer = {
  url: string;
  host: (hosted: Hosted) => void;
  forget: (life: Life) => void;
  close: () => Promise<void>;
};

/** Stripe's read endpoints for the lives that it hosts. Some answers are slow, and so arrive out of order. */
export async function startStripeServer(): Promise<StripeServer> {
  const hosts = new Map<string, Hosted>();

  const stateOf = ({ life, seen, isAhead }: Hosted, id: string): StripeObject | null =>
    life.objectAsOf(id, isAhead ? Number.POSITIVE_INFINITY : seen);

  function expanded(host: Hosted, object: StripeObject, query: URLSearchParams): StripeObject {
    const asked = [...query].filter(([key]) => key.startsWith('expand')).map(([, path]) => path);
    const fields = references.filter((field) => asked.includes(field) || asked.includes(`data.${field}`));
    const inner = fields.flatMap((field) => {
      const id = object[field];
      const found = typeof id === 'string' ? stateOf(host, id) : null;
      return found === null ? [] : [[field, found] as const];
    });
    return { ...object, ...Object.fromEntries(inner) };
  }

  function list(host: Hosted, kind: string, query: URLSearchParams): object {
    const filters = [...query].filter(([key]) => !/^(limit|expand|starting_after|ending_before)/.test(key));
    const meets = (object: StripeObject): boolean =>
      filters.every(([key, value]) => {
        const [outer = key, field] = key.split(/[[\]]/);
        if (value === 'all' && outer === 'status') return true;
        const at = object[outer];
        return field === undefined ? at === value : isRecord(at) && at[field] === value;
      });
    const all = host.life.ids().flatMap((id) => stateOf(host, id) ?? []);
    const data = all.filter((object) => object.object === kind && meets(object));
    return { object: 'list', has_more: false, data: data.map((one) => expanded(host, one, query)) };
  }

  /** Null: 404. */
  function answer(host: Hosted, path: string, query: URLSearchParams): object | null {
    const lines = /^checkout\/sessions\/([^/]+)\/line_items$/.exec(path);
    if (lines !== null) return list(host, 'item', new URLSearchParams({ session: lines[1] ?? '' }));
    const invoice = /^invoices\/([^/]+)\/lines$/.exec(path);
    if (invoice !== null) return list(host, 'line_item', new URLSearchParams({ invoice: invoice[1] ?? '' }));
    const kind = listed[path];
    if (kind !== undefined) return list(host, kind, query);
    const object = stateOf(host, path.split('/').at(-1) ?? '');
    return object === null ? null : expanded(host, object, query);
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://stripe');
    const path = url.pathname.replace('/v1/', '');
    const run = /_(run[a-z0-9]+)/.exec(url.href)?.[1] ?? '';
    const host = hosts.get(run);
    if (host?.mood === 'away') return send(response, 503, { error: { message: 'away' } });
    const found = host === undefined || host.mood === 'missing' ? null : answer(host, path, url.searchParams);
    // The answer is fixed by now, but may arrive after a newer one.
    if (Math.random() < 0.25) await sleep(Math.random() * 120);
    if (found === null)
      return send(response, 404, { error: { type: 'invalid_request_error', code: 'resource_missing' } });
    return send(response, 200, found);
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    host: (hosted) => void hosts.set(hosted.life.run, hosted),
    forget: (life) => void hosts.delete(life.run),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'stripe-should-retry': 'false' });
  response.end(JSON.stringify(body));
}
