import { createServer, type RequestListener, type Server } from 'node:http';
import { Stripe } from 'stripe';
import { createMetrics } from './metrics.ts';
import { createStripePermissions } from './stripe-permissions.ts';
import { createStripeClient, stripeModeOf } from './create-stripe-client.ts';
import type { StripeOutcome } from './stripe-http-client.ts';
import { operationLabel } from './stripe-operation.ts';

type Seen = [operation: string, outcome: StripeOutcome];
let server: Server;
let answer: RequestListener = (_request, response) => response.end('{}');
let base = '';

beforeAll(async () => {
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  base = typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
});

afterAll(() => {
  server.close();
  server.closeAllConnections();
});

function observed(options: { timeoutMs?: number; maxNetworkRetries?: number } = {}) {
  const seen: Seen[] = [];
  const observe = (operation: string, outcome: StripeOutcome): void => void seen.push([operation, outcome]);
  return { seen, stripe: createStripeClient({ secretKey: 'sk_test_x', apiBase: base, observe, ...options }) };
}

test('goes to the given base and reports each attempt under a bounded label', async () => {
  const headers: (string | undefined)[] = [];
  answer = (request, response) => {
    headers.push(request.headers.authorization, request.headers['x-stripe-client-telemetry']?.toString());
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ id: 'my price', object: 'price' }));
  };
  const { seen, stripe } = observed();
  await stripe.prices.retrieve('my price');
  await stripe.prices.retrieve('other');
  expect(seen).toEqual([
    ['GET /v1/prices/:id', 'ok'],
    ['GET /v1/prices/:id', 'ok'],
  ]);
  expect(headers).toEqual(['Bearer sk_test_x', undefined, 'Bearer sk_test_x', undefined]);
});

test.each([
  [429, ['rate_limited']],
  [404, ['client_error']],
  [500, ['server_error', 'server_error']],
] as const)('status %i is reported as %p', async (status, outcomes) => {
  answer = (_request, response) => {
    response.statusCode = status;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ error: { message: 'no' } }));
  };
  const { seen, stripe } = observed();
  await expect(stripe.customers.retrieve('cus_1')).rejects.toMatchObject({ statusCode: status });
  expect(seen.map(([, outcome]) => outcome)).toEqual(outcomes);
});

test('a server that hangs: the attempts share the time, then it is an error', async () => {
  answer = () => undefined;
  const { seen, stripe } = observed({ timeoutMs: 700 });
  await expect(stripe.customers.retrieve('cus_1')).rejects.toMatchObject({ type: 'StripeConnectionError' });
  expect(seen.map(([, outcome]) => outcome)).toEqual(['timeout', 'timeout']);
});

test('a server that resets', async () => {
  answer = (request) => request.socket.resetAndDestroy();
  const { seen, stripe } = observed({ maxNetworkRetries: 0 });
  await expect(stripe.customers.retrieve('cus_1')).rejects.toMatchObject({ type: 'StripeConnectionError' });
  expect(new Set(seen.map(([, outcome]) => outcome))).toEqual(new Set(['connection_error']));
});

type Nonsense = [what: string, status: number, body: string];
const nonsense: Nonsense[] = [
  ['500 {}', 500, '{}'],
  ['500 with a null error', 500, '{"error":null}'],
  ['500 with an error in words', 500, '{"error":"down"}'],
  ['400 {}', 400, '{}'],
  ['404 {} of a proxy', 404, '{}'],
  ['404 HTML', 404, '<html>not found</html>'],
  ['302', 302, '{"id":"cus_1"}'],
  ['502 HTML', 502, '<html>Bad Gateway</html>'],
  ['200 HTML', 200, '<html>Log in to the network</html>'],
  ['200 and nothing', 200, ''],
  ['200 and half an object', 200, '{"id":"cus_'],
  ...['null', '5', 'true', '"text"', '[]'].map((body): Nonsense => [`200 ${body}`, 200, body]),
  ['500 5', 500, '5'],
  ['200 with an error in words', 200, '{"error":"down"}'],
];

test.each(nonsense)('%s is no answer of Stripe: an error without a status', async (_what, status, body) => {
  answer = (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  };
  const { seen, stripe } = observed({ maxNetworkRetries: 0 });
  const failed: unknown = await stripe.customers.retrieve('cus_1').catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(Stripe.errors.StripeConnectionError);
  expect(failed).toMatchObject({ statusCode: undefined });
  expect(seen).toHaveLength(1);
  expect(seen.map(([, outcome]) => outcome)).not.toContain('ok');
});

test('429 is 429, whoever says so', async () => {
  answer = (_request, response) => response.writeHead(429).end('<html>slow down</html>');
  const { stripe } = observed({ maxNetworkRetries: 0 });
  await expect(stripe.customers.retrieve('cus_1')).rejects.toMatchObject({ statusCode: 429 });
});

test('a body that breaks off is tried again under the same idempotency key', async () => {
  const keys: unknown[] = [];
  answer = (request, response) => {
    keys.push(request.headers['idempotency-key']);
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '20' });
    if (keys.length > 1) return void response.end('{"id": "cus_1"}     ');
    response.write('{"id": "c', () => response.destroy());
  };
  const customer = await observed().stripe.customers.create({}, { idempotencyKey: 'k' });
  expect(customer.id).toBe('cus_1');
  expect(keys).toEqual(['k', 'k']);
});

test('a body that drips ends with its attempt', async () => {
  answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const drip = setInterval(() => response.write(' '), 20);
    response.once('close', () => clearInterval(drip));
  };
  const { seen, stripe } = observed({ timeoutMs: 100, maxNetworkRetries: 0 });
  await expect(stripe.customers.retrieve('cus_1')).rejects.toMatchObject({ type: 'StripeConnectionError' });
  expect(seen).toEqual([['GET /v1/customers/:id', 'timeout']]);
});

describe('permissions that the key lacks', () => {
  const refusal = (status: number, message: string) => (): void => {
    answer = (_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { type: 'invalid_request_error', message } }));
    };
  };
  const refuse = refusal(
    403,
    "The provided key 'rk_test_*********abc' does not have the required permissions for this endpoint on account 'acct_1'. Having the 'rak_charge_read' permission would allow this request to continue.",
  );

  function start() {
    const metrics = createMetrics({ service: 'test', withProcessMetrics: false });
    const permissions = createStripePermissions(metrics);
    const stripe = createStripeClient({ secretKey: 'rk_test_x', apiBase: base, permissions });
    const ask = () => stripe.charges.retrieve('ch_1').catch(() => undefined);
    const valueOf = async (name: string) => (await metrics.registry.getSingleMetric(name)?.get())?.values;
    const missing = async () => (await valueOf('stripe_permissions_missing'))?.[0]?.value;
    return { valueOf, permissions, ask, missing };
  }

  test('are named until the operation is not refused, and nothing of the key is shown', async () => {
    const { valueOf, permissions, ask, missing } = start();
    expect(permissions.check()).toEqual({});
    refuse();
    await ask();
    await ask();
    expect(permissions.check()).toEqual({
      stripe: 'the Stripe key may not GET /v1/charges/:id (rak_charge_read)',
    });
    expect(await missing()).toBe(1);
    expect(await valueOf('stripe_permission_denied_total')).toMatchObject([
      { labels: { operation: 'GET /v1/charges/:id' }, value: 2 },
    ]);
    // An outage does not say that the permission is there; an answer does, a 404 too.
    refusal(500, 'no')();
    await ask();
    expect(await missing()).toBe(1);
    refusal(404, 'No such charge')();
    await ask();
    expect(permissions.check()).toEqual({});
    expect(await missing()).toBe(0);
  });
});

test.each([
  ['sk_live_1', 'live'],
  ['rk_live_1', 'live'],
  ['sk_test_1', 'test'],
  ['rk_test_live_1', 'test'],
])('the mode of %s is %s', (key, mode) => {
  expect(stripeModeOf(key)).toBe(mode);
});

test.each([
  ['get', '/v1/events?types[0]=a', 'GET /v1/events'],
  ['POST', '/v1/checkout/sessions/cs_test_1/expire', 'POST /v1/checkout/sessions/:id/expire'],
  ['GET', '/v1/products/any text a user chose', 'GET /v1/products/:id'],
])('%s %s is labelled %s', (method, path, label) => {
  expect(operationLabel(method, path)).toBe(label);
});
