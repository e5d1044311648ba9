import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@billing/testing';
import { startTestApi } from '../testing/start-test-api.test-support.ts';
import type { TestApi } from '../testing/start-test-api.test-support.ts';

const path = '/api/v1/webhooks/stripe';
const mebibyte = 1024 * 1024;
/** Of the right form, and signed by nobody. */
const forged = `t=${Math.floor(Date.now() / 1000)},v1=${'0'.repeat(64)}`;

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

/** `closedAfterMs`: from the answer on. */
type Client = {
  socket: Socket;
  received: () => string;
  answeredAt: () => number;
  closedAfterMs: Promise<number>;
};

/** A client that sends the head of a request and part of its body, and then waits. */
async function open(head: string[], part: Buffer | string = ''): Promise<Client> {
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
  let answeredAt = Infinity;
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    answeredAt = Math.min(answeredAt, performance.now());
    text += chunk.toString('latin1');
  });
  // The server may end the connection while this side still sends.
  socket.on('error', () => undefined);
  const closedAfterMs = new Promise<number>((resolve) => {
    socket.once('close', () => resolve(performance.now() - answeredAt));
  });
  await once(socket, 'connect');
  socket.write([...head, 'host: test', '', ''].join('\r\n'));
  socket.write(part);
  return { socket, received: () => text, answeredAt: () => answeredAt, closedAfterMs };
}

const answersIn = (text: string): string[] => text.match(/HTTP\/1\.1 \d{3}/g) ?? [];
const webhook = (signature: string | null, length = mebibyte): string[] => [
  `POST ${path} HTTP/1.1`,
  ...(signature === null ? [] : [`stripe-signature: ${signature}`]),
  `content-length: ${length}`,
];

test.each([
  ['no signature', null],
  ['a malformed one', 'hello'],
  ['one without a timestamp', `v1=${'0'.repeat(64)}`],
  ['one that is no number', `t=1,v1=forged`],
  ['one of another version', `t=1,v0=${'0'.repeat(64)}`],
])('%s is 401 before the body comes, once, and the connection ends', async (_what, signature) => {
  const client = await open(webhook(signature), Buffer.alloc(1_000));
  expect(await client.closedAfterMs).toBeLessThan(5_000);
  expect(answersIn(client.received())).toEqual(['HTTP/1.1 401']);
  expect(client.received().toLowerCase()).toContain('connection: close');
});

test('150 slow bodies of 1 MiB hold no more than 64 MiB, get one answer each, and are closed within 5 s', async () => {
  const clients = await Promise.all(
    Array.from({ length: 150 }, () => open(webhook(forged), Buffer.alloc(mebibyte - 1))),
  );
  const times = await Promise.all(clients.map(({ closedAfterMs }) => closedAfterMs));
  expect(Math.max(...times)).toBeLessThan(5_000);
  const answers = clients.map(({ received }) => answersIn(received()));
  expect(answers.filter((each) => each.length > 1)).toEqual([]);
  const met = new Set(answers.flat());
  expect([...met].toSorted()).toEqual(['HTTP/1.1 400', 'HTTP/1.1 503']);
  // Each that is 400 was held for 1.5 s until then: of those that were held at one moment, no more than the bound.
  const held = clients.filter(({ received }) => received().startsWith('HTTP/1.1 400'));
  const ends = held.map(({ answeredAt }) => answeredAt());
  const together = ends.map((end) => ends.filter((other) => other >= end && other - end < 1_000).length);
  expect(Math.max(...together)).toBeLessThanOrEqual(64);
  const refused = clients.find(({ received }) => received().startsWith('HTTP/1.1 503'));
  expect(refused?.received().toLowerCase()).toContain('retry-after: 1');
  // And what they held is free again.
  const whole = await open(webhook(forged, 2), '{}');
  await waitFor(() => answersIn(whole.received())[0], { what: 'the answer' });
  expect(answersIn(whole.received())).toEqual(['HTTP/1.1 401']);
  whole.socket.destroy();
}, 30_000);

test('a body that is whole leaves the connection open', async () => {
  const client = await open(webhook(forged, 2), '{}');
  await waitFor(() => answersIn(client.received())[0], { what: 'the answer' });
  expect(client.received().toLowerCase()).not.toContain('connection: close');
  client.socket.write([...webhook(null, 0), 'host: test', '', ''].join('\r\n'));
  await waitFor(() => answersIn(client.received())[1], { what: 'the second answer' });
  client.socket.destroy();
});

test.each([
  ['POST', '/api/v1/checkout/create', 401],
  ['POST', '/api/v1/entitlements/batch', 401],
  ['POST', '/api/v1/admin/grant', 401],
  ['POST', '/nowhere', 404],
  ['GET', '/healthz', 200],
  ['GET', '/api/v1/entitlements?user_id=u', 401],
])('%s %s: what is answered before its body is whole ends the connection', async (method, url, status) => {
  const head = [`${method} ${url} HTTP/1.1`, 'content-type: application/json', 'content-length: 100000'];
  const client = await open(head, '{"user_id":');
  expect(await client.closedAfterMs).toBeLessThan(5_000);
  expect(answersIn(client.received())).toEqual([`HTTP/1.1 ${status}`]);
  expect(client.received().toLowerCase()).toContain('connection: close');
});

test('a client that goes on sending reads its answer', async () => {
  const client = await open(webhook(null, 100 * mebibyte), Buffer.alloc(mebibyte));
  for (let turn = 0; turn < 20 && !client.socket.destroyed; turn += 1) {
    client.socket.write(Buffer.alloc(mebibyte));
    await sleep(5);
  }
  await client.closedAfterMs;
  expect(answersIn(client.received())).toEqual(['HTTP/1.1 401']);
});
