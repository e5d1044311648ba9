import { createHmac } from 'node:crypto';
import { request as openRequest } from 'node:http';
import { connectRedis } from '@billing/platform';
import { Stripe } from 'stripe';
import { startTestApi, testWebhookSecret } from '../testing/start-test-api.test-support.ts';
import type { TestApi } from '../testing/start-test-api.test-support.ts';

const { webhooks } = new Stripe('sk_test_signing');

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const sign = (payload: string): string =>
  webhooks.generateTestHeaderString({ payload, secret: testWebhookSecret });

/** Sends a body signed as it is; the headers that are given win. */
async function deliver(payload: string, headers: Record<string, string> = {}): Promise<[number, string]> {
  const response = await fetch(`${api.url}/api/v1/webhooks/stripe`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'stripe-signature': sign(payload), ...headers },
    body: payload,
  });
  const body = (await response.json()) as { code?: string; event_id?: string };
  return [response.status, body.code ?? body.event_id ?? ''];
}

/** As Stripe signs, but over any bytes. */
function signBytes(body: Buffer): string {
  const seconds = Math.floor(Date.now() / 1000);
  const signature = createHmac('sha256', testWebhookSecret).update(`${seconds}.`).update(body).digest('hex');
  return `t=${seconds},v1=${signature}`;
}

async function deliverBytes(body: Buffer, signature = signBytes(body)): Promise<number> {
  const headers = { 'stripe-signature': signature };
  return (await fetch(`${api.url}/api/v1/webhooks/stripe`, { method: 'POST', headers, body })).status;
}

/** The status of a body that comes in chunks, without a length. */
function deliverInChunks(chunks: readonly string[], signature: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const outgoing = openRequest(
      `${api.url}/api/v1/webhooks/stripe`,
      { method: 'POST', headers: { 'stripe-signature': signature, 'transfer-encoding': 'chunked' } },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    );
    outgoing.on('error', reject);
    for (const chunk of chunks) outgoing.write(chunk);
    outgoing.end();
  });
}

let serial = 0;
const eventText = (object: string, more = ''): string =>
  `{"id":"evt_hostile${(serial += 1)}","type":"customer.subscription.updated","created":1,"data":{"object":${object}}${more}}`;
const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;

describe('signed events with unexpected content are taken or refused, and never an internal error', () => {
  test.each<[string, string]>([
    ['100,000 levels in the object', eventText(`{"id":"sub_1","object":"subscription","metadata":${deep}}`)],
    ['100,000 levels beside the object', eventText('{"id":"sub_1"}', `,"extra":${deep}`)],
    [
      '100,000 levels as items',
      eventText(`{"id":"sub_1","items":{"data":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`),
    ],
    ['__proto__', eventText('{"id":"sub_1","__proto__":{"status":"active"}}', ',"__proto__":{"x":1}')],
    ['doubled keys', eventText('{"id":"sub_1","id":"sub_2"}', ',"type":"invoice.paid"')],
    ['NUL', eventText('{"id":"sub_\\u0000","customer":"cus_\\u0000"}')],
    ['lone surrogates', eventText('{"id":"sub_1","metadata":{"user_id":"\\ud800"}}')],
    ['huge numbers', eventText('{"id":"sub_1","quantity":1e400,"created":99999999999999999999}')],
    ['an empty object', eventText('{}')],
    ['numbers for texts', eventText('{"id":1,"customer":2,"status":3}')],
    ['a list for an object inside', eventText('{"id":"sub_1","items":[],"metadata":[]}')],
  ])('%s: 200', async (_what, payload) => {
    const [status, eventId] = await deliver(payload);
    expect([status, eventId]).toEqual([200, expect.stringMatching(/^evt_hostile/)]);
    expect(await api.deps.stripeEvents.bull.getJob(eventId)).toBeDefined();
  });

  test.each<[string, string]>([
    ['null', 'null'],
    ['a list', '[]'],
    ['nothing in it', '{}'],
    ['a number', '1'],
    ['100,000 levels', deep],
    ['an id of 300 characters', eventText('{}').replace(/evt_hostile\d+/, 'x'.repeat(300))],
    ['an id of digits', eventText('{}').replace(/evt_hostile\d+/, '1234')],
    ['NUL in the id', eventText('{}').replace(/evt_hostile\d+/, 'evt\\u0000')],
    ['a thin event without an id', '{"object":"v2.core.event","type":"x"}'],
    ['half of it', eventText('{}').slice(0, -1)],
  ])('%s: 400', async (_what, payload) => {
    expect(await deliver(payload)).toEqual([400, 'invalid_payload']);
  });

  test('the exact bytes are verified: pretty-printed, escaped, of any content type', async () => {
    const pretty = JSON.stringify(JSON.parse(eventText('{"id":"sub_1"}')), null, 4);
    const escaped = eventText('{"id":"sub_\\u0031","note":"\\u00e9é😀"}');
    for (const payload of [pretty, escaped, `  ${pretty}\r\n`])
      for (const type of ['text/plain', 'application/xml', 'application/json; charset=utf-16'])
        expect((await deliver(payload, { 'content-type': type }))[0]).toBe(200);
  });

  test('bytes that are no UTF-8 are verified as they are', async () => {
    const text = eventText('{"id":"sub_1","note":"?"}');
    const replaced = Buffer.from(text.replace('?', '\ufffd'));
    const broken = Buffer.from(text.replace('?', '\u00ff'), 'latin1');
    expect(await deliverBytes(broken)).toBe(200);
    // Decoded, both are the same text.
    expect(broken.toString()).toBe(replaced.toString());
    expect(await deliverBytes(broken, signBytes(replaced))).toBe(401);
    // JSON does not begin with a byte order mark (RFC 8259): signed, but no event.
    expect(await deliverBytes(Buffer.from(`\ufeff${text}`))).toBe(400);
    expect(await deliverBytes(Buffer.alloc(0))).toBe(400);
  });

  test('in chunks', async () => {
    const payload = eventText('{"id":"sub_1"}');
    expect(await deliverInChunks(payload.match(/.{1,7}/gsu) ?? [], sign(payload))).toBe(200);
  });

  test('chunks without an end are cut off at 1 MiB', async () => {
    const chunks = Array.from({ length: 40 }, () => ' '.repeat(64 * 1024));
    expect(await deliverInChunks(chunks, 't=1,v1=00')).toBe(413);
  });

  test.each(['1e9', '0x6a8f1f00', '+1795341600', '17953416.5', '', ' ', 'NaN', '9'.repeat(20), '-1'])(
    'a timestamp that is not of digits is 401: %s',
    async (timestamp) => {
      const payload = eventText('{}');
      const signature = sign(payload).replace(/^t=\d+/, `t=${timestamp}`);
      expect(await deliver(payload, { 'stripe-signature': signature })).toEqual([401, 'invalid_signature']);
    },
  );
});

test('a flood without a signature costs neither Redis nor Postgres anything', async () => {
  const client = connectRedis({ url: api.redis.url, role: 'worker', logger: api.deps.logger });
  const processed = async (): Promise<number> =>
    Number(/total_commands_processed:(\d+)/.exec(await client.info('stats'))?.[1]);
  const before = await processed();
  for (let sent = 0; sent < 200; sent += 1) await deliver('{}', { 'stripe-signature': 't=1,v1=00' });
  // The connections' heartbeats and the loop that publishes, but nothing per request.
  expect((await processed()) - before).toBeLessThan(100);
  client.disconnect();
});
