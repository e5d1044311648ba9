import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@billing/testing';
import { z } from 'zod';
import { startReceiver } from '../../apps/worker/tests/support/webhook-world.test-support.ts';
import type { Arrival } from '../../apps/worker/tests/support/webhook-world.test-support.ts';
import { bodyOf } from './support/api-client.ts';
import { inQuick, seenWithin, timeRecovery } from './support/run-options.ts';
import { openShop, uniqueId } from './support/shop.ts';
import type { Shop } from './support/shop.ts';
import { startStack } from './support/stack.ts';
import type { Stack } from './support/stack.ts';

let stack: Stack;
let shop: Shop;
let receiver: Awaited<ReturnType<typeof startReceiver>>;

const timeoutSeconds = 1;
const schedule = [0, 0.5, 0.5, 0.5, 0.5, 0.5];
/** How long after a request's deadline the claim of a worker that died ends. */
const claimMarginSeconds = 20;

beforeAll(async () => {
  receiver = await startReceiver();
  stack = await startStack({
    env: {
      WEBHOOK_SECRET_KEY: randomBytes(32).toString('base64'),
      WEBHOOK_ALLOW_HTTP: 'true',
      WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
      WEBHOOK_TIMEOUT_SECONDS: String(timeoutSeconds),
      WEBHOOK_RETRY_SCHEDULE: schedule.join(),
    },
  });
  shop = await openShop(stack);
});
afterAll(async () => {
  await stack.close();
  await receiver.close();
});

/** Returns the part of its path by which the receiver knows it. */
async function makeEndpoint(fields: { url?: string; delivery?: 'latest' | 'every' } = {}): Promise<string> {
  const path = uniqueId('hook');
  await stack.anyApi.admin('POST', `/projects/${shop.projectId}/webhook-endpoints`, {
    url: receiver.urlOf(path),
    event_types: ['entitlements.changed'],
    ...fields,
  });
  return path;
}

const acceptedBy = (path: string, userId: string): Arrival[] =>
  receiver.at(path).filter((one) => one.userId === userId && one.status === 204);

const anyList = z.object({ data: z.array(z.unknown()) });
const endpointList = z.object({ data: z.array(z.object({ endpoint_id: z.string(), url: z.string() })) });

/** How many messages the endpoint has not accepted yet, as far as the service knows. */
async function pendingAt(path: string): Promise<number> {
  const endpoints = `/projects/${shop.projectId}/webhook-endpoints`;
  const all = endpointList.parse(await stack.anyApi.admin('GET', endpoints));
  const id = all.data.find(({ url }) => url === receiver.urlOf(path))?.endpoint_id ?? '';
  const pending = await stack.anyApi.admin('GET', `${endpoints}/${id}/deliveries?status=pending`);
  return anyList.parse(pending).data.length;
}

/** The last state that a user's product knows is what a read says; its versions never fell. */
async function expectTold(path: string, userId: string): Promise<void> {
  await waitFor(
    async () => {
      const { version, entitlements } = bodyOf(await stack.anyApi.check(shop.apiKey, userId));
      const last = acceptedBy(path, userId).at(-1);
      if (last === undefined) return entitlements.length === 0;
      const { data } = JSON.parse(last.body);
      const codes = (list: { feature_code: string }[]): string => list.map((one) => one.feature_code).join();
      return data.version <= version && codes(data.entitlements) === codes(entitlements);
    },
    { what: `${userId} to be told`, timeoutMs: 60_000 },
  );
  const versions = acceptedBy(path, userId).map((one) => one.version);
  expect(versions).toEqual([...versions].sort((a, b) => a - b));
}

// Naive: a message is marked as sent before it is, or its claim never ends.
it('a worker killed between a request and its record: the next state comes once the request must be over', async () => {
  const path = await makeEndpoint();
  const [userId, other] = [uniqueId('user'), uniqueId('user')];
  let isHolding = true;
  receiver.answer(path, (arrival) =>
    arrival.userId === userId && isHolding ? { status: null } : { status: 204 },
  );
  await stack.workers[1].stop();
  await shop.grant(userId, 'pro');
  await waitFor(() => receiver.at(path).some((one) => one.userId === userId), { what: 'the request' });
  await stack.workers[0].kill('SIGKILL');
  isHolding = false;
  await stack.startProcesses();
  // What is newer waits for the dead worker's request to be over; others do not.
  await shop.grant(userId, 'export');
  await shop.grant(other, 'pro');
  await waitFor(() => acceptedBy(path, other).length > 0, { what: 'the other user' });
  await timeRecovery({ fault: 'worker killed in a request to a product', recovered: 'the claim ends' }, () =>
    expectTold(path, userId),
  );
  const [first, ...later] = receiver.at(path).filter((one) => one.userId === userId);
  const waitedMs = (later[0]?.startedAt ?? 0) - (first?.startedAt ?? 0);
  expect(waitedMs).toBeGreaterThan((timeoutSeconds + claimMarginSeconds) * 1_000 - 1_000);
});

// Naive: what was taken from a list in memory is lost with the process, or two workers send at once.
it('workers killed one after the other while access changes: each user is told the last state, in order', async () => {
  const path = await makeEndpoint();
  receiver.answer(path, () => ({ status: Math.random() < 0.2 ? 500 : 204, delayMs: Math.random() * 50 }));
  const users = Array.from({ length: inQuick(6, 40) }, () => uniqueId('user'));
  for (let round = 0; round < inQuick(3, 12); round += 1) {
    const killed = stack.workers[round % 2 === 0 ? 0 : 1];
    const grants = await Promise.all(users.map((userId) => shop.grant(userId, `feature_${round}`)));
    await sleep(Math.random() * 300);
    await killed.kill('SIGKILL');
    await Promise.all(grants.slice(0, 3).map((grantId) => shop.revoke(grantId)));
    await killed.start();
  }
  await stack.startProcesses();
  for (const userId of users) await expectTold(path, userId);
});

// Naive: tries are counted in memory, or the next state overtakes one that is still tried.
it('a message that fails through the whole schedule, while a worker is killed: one id and body, then the next one goes', async () => {
  const path = await makeEndpoint({ delivery: 'every' });
  const userId = uniqueId('user');
  const first = (): Arrival | undefined => receiver.at(path)[0];
  receiver.answer(path, ({ id }) => ({ status: (first()?.id ?? id) === id ? 500 : 204 }));
  await shop.grant(userId, 'pro');
  await waitFor(() => receiver.at(path).length >= 2, { what: 'the second try' });
  await shop.grant(userId, 'export');
  await stack.workers[0].kill('SIGKILL');
  await stack.workers[0].start();
  await waitFor(() => acceptedBy(path, userId).length > 0, { what: 'the next message', timeoutMs: 90_000 });
  await stack.startProcesses();
  const { id, body } = first() ?? { id: '', body: '' };
  const tries = receiver.at(path).filter((one) => one.id === id);
  expect(new Set(tries.map((one) => one.body))).toEqual(new Set([body]));
  // A try that the killed worker did not write down is made again.
  expect([schedule.length, schedule.length + 1]).toContain(tries.length);
  expect(receiver.at(path).slice(0, tries.length)).toEqual(tries);
  await expectTold(path, userId);
});

// Naive: what ends by time alone is noticed by the next event or read, or by the one process that has a timer for it.
it('access that ends by time alone, with one worker killed: told within two seconds, once', async () => {
  const path = await makeEndpoint();
  const users = Array.from({ length: inQuick(10, 100) }, () => uniqueId('user'));
  const validTo = Date.now() + inQuick(15_000, 40_000);
  for (const userId of users) {
    const given = { user_id: userId, project_id: shop.projectId, feature_code: 'pro', reason: 'test' };
    await stack.anyApi.admin('POST', '/grant', { ...given, valid_to: new Date(validTo).toISOString() });
  }
  const acceptedOf = (count: number) => () => users.every((user) => acceptedBy(path, user).length >= count);
  await waitFor(acceptedOf(1), { what: 'the grants to be told' });
  // A worker that dies before it has written down what it sent keeps those users waiting until its claim ends.
  await waitFor(async () => (await pendingAt(path)) === 0, { what: 'that to be written down' });
  await stack.workers[1].kill('SIGKILL');
  expect(Date.now()).toBeLessThan(validTo);
  await waitFor(acceptedOf(2), { what: 'the ends to be told', timeoutMs: 60_000 });
  const lags = users.map((user) => {
    const told = acceptedBy(path, user).at(-1);
    return performance.timeOrigin + (told?.startedAt ?? Infinity) - validTo;
  });
  expect(Math.min(...lags)).toBeGreaterThan(-100);
  expect(Math.max(...lags)).toBeLessThan(seenWithin(2_000));
  await stack.startProcesses();
  for (const userId of users) await expectTold(path, userId);
  expect(users.every((user) => acceptedBy(path, user).length === 2)).toBe(true);
});

const behaviours: [string, (socket: Socket, port: number) => void][] = [
  ['hangs', () => undefined],
  ['resets', (socket) => socket.resetAndDestroy()],
  [
    'streams without end',
    (socket) => {
      socket.write('HTTP/1.1 500 Never\r\ntransfer-encoding: chunked\r\n\r\n');
      const write = (): void => {
        if (!socket.destroyed) socket.write(`ffff\r\n${'x'.repeat(0xffff)}\r\n`, () => setImmediate(write));
      };
      write();
    },
  ],
  [
    'redirects to this machine',
    (socket, port) =>
      socket.end(`HTTP/1.1 308 There\r\nlocation: http://127.0.0.1:${port}/\r\ncontent-length: 0\r\n\r\n`),
  ],
];

// Naive: a fixed number of requests at once for all endpoints, the body of an answer kept whole, redirects followed.
it('endpoints that hang, reset, stream without end or redirect delay no other and are not followed', async () => {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  let requests = 0;
  try {
    for (const [, act] of behaviours) {
      const server = createServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => undefined);
        socket.once('data', () => {
          requests += 1;
          act(socket, (target.address() as AddressInfo).port);
        });
      });
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    }
    let followed = 0;
    const target = createServer((socket) => {
      followed += 1;
      socket.destroy();
    });
    servers.push(target);
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
    for (const server of servers.slice(0, behaviours.length))
      await makeEndpoint({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
    const path = await makeEndpoint();
    const users = Array.from({ length: inQuick(30, 200) }, () => uniqueId('user'));
    const granted = new Map<string, number>();
    for (const userId of users) {
      await shop.grant(userId, 'pro');
      granted.set(userId, performance.now());
    }
    for (const userId of users) await expectTold(path, userId);
    const delays = users.map(
      (userId) => (acceptedBy(path, userId)[0]?.startedAt ?? Infinity) - (granted.get(userId) ?? 0),
    );
    // All of them together would hold up one that waits for them by many times their time-out.
    expect(Math.max(...delays)).toBeLessThan(10_000);
    expect(requests).toBeGreaterThan(behaviours.length);
    expect(followed).toBe(0);
  } finally {
    for (const socket of sockets) socket.destroy();
    for (const server of servers) server.close();
  }
});
