import { createServer, type RequestListener, type Server } from 'node:http';
import {
  createStripeClient,
  operationLabel,
  stripeModeOf,
  type StripeOutcome,
} from './create-stripe-client.ts';

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
