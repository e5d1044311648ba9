import { startWorker } from '@billing/worker';
import { PassThrough } from 'node:stream';
import { createLogger } from '@billing/platform';
import { waitFor } from '@billing/testing';
import { startWebhookWorld } from '../support/webhook-world.test-support.ts';
import type { Arrival, WebhookWorld } from '../support/webhook-world.test-support.ts';

let world: WebhookWorld;
let second: Awaited<ReturnType<typeof startWorker>>;

beforeAll(async () => {
  world = await startWebhookWorld({
    env: { WEBHOOK_RETRY_SCHEDULE: '0,0.05,0.05,0.05,0.05,0.05,0.05,0.05,0.05,0.05' },
  });
  second = await startWorker({
    config: world.config,
    logger: createLogger({
      service: 'second',
      level: 'error',
      format: 'json',
      destination: new PassThrough().resume(),
    }),
    host: '127.0.0.1',
  });
});
afterAll(async () => {
  await second.stop();
  await world.close();
});

const accepted = (arrivals: readonly Arrival[]): Arrival[] => arrivals.filter((one) => one.status === 204);

const versionsOf = (arrivals: readonly Arrival[], userId: string): number[] =>
  arrivals.filter((one) => one.userId === userId).map((one) => one.version);

/** Some fail, some take a while. */
const unsteady = () => ({ status: Math.random() < 0.3 ? 500 : 204, delayMs: Math.random() * 30 });

const users = ['ann', 'bob', 'cem', 'gül', 'hana', 'ivo'];

test.each([
  ['latest', 1],
  ['every', 6],
] as const)(
  'two workers: what an endpoint that wants %s accepts of a user never falls and ends with the newest state',
  async (delivery, least) => {
    const endpointId = await world.makeEndpoint({ delivery });
    world.receiver.answer(endpointId, unsteady);
    for (let version = 1; version <= 6; version += 1)
      await Promise.all(users.map((userId) => world.tell([endpointId], { userId, version })));
    await world.untilDone(endpointId);
    const came = world.receiver.at(endpointId);
    for (const userId of users) {
      const versions = versionsOf(accepted(came), userId);
      expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
      expect(versions.at(-1)).toBe(6);
      expect(versions.length).toBeGreaterThanOrEqual(least);
    }
    expect(Math.max(...came.map((one) => one.ofUser))).toBe(0);
    expect(Math.max(...came.map((one) => one.ofEndpoint))).toBeLessThan(8);
  },
);

test('where every state is wanted, the next waits until the one before is accepted or failed for good', async () => {
  const endpointId = await world.makeEndpoint({ delivery: 'every' });
  world.receiver.answer(endpointId, ({ version }) => ({ status: version === 1 ? 500 : 204 }));
  const first = await world.tell([endpointId], { version: 1 });
  await world.tell([endpointId], { version: 2 });
  await world.untilDone(endpointId);
  expect(world.receiver.at(endpointId).map((one) => one.version)).toEqual([...Array(10).fill(1), 2]);
  expect(await world.deliveriesOf(first)).toMatchObject([{ status: 'failed', attempts: 10 }]);
});

test('a state that is superseded while it is under way is followed by the newer one, not before its end', async () => {
  const endpointId = await world.makeEndpoint();
  world.receiver.answer(endpointId, ({ version }) => ({ status: 204, delayMs: version === 1 ? 400 : 0 }));
  const old = await world.tell([endpointId], { version: 1 });
  await waitFor(async () => (await world.deliveriesOf(old))[0]?.claimedUntil !== null, { what: 'the claim' });
  await world.tell([endpointId], { version: 2 });
  await world.untilDone(endpointId);
  expect(world.receiver.at(endpointId).map((one) => [one.version, one.ofUser])).toEqual([
    [1, 0],
    [2, 0],
  ]);
  expect(await world.deliveriesOf(old)).toMatchObject([{ status: 'succeeded' }]);
});

test('one that failed while it was superseded is not tried again', async () => {
  const endpointId = await world.makeEndpoint();
  world.receiver.answer(endpointId, ({ version }) => ({
    status: version === 1 ? 500 : 204,
    delayMs: version === 1 ? 300 : 0,
  }));
  const old = await world.tell([endpointId], { version: 1 });
  await waitFor(async () => (await world.deliveriesOf(old))[0]?.claimedUntil !== null, { what: 'the claim' });
  await world.tell([endpointId], { version: 2 });
  await world.untilDone(endpointId);
  expect(world.receiver.at(endpointId).map((one) => one.version)).toEqual([1, 2]);
  expect(await world.deliveriesOf(old)).toMatchObject([{ status: 'superseded', attempts: 1 }]);
});

test('facts of usage are each for themselves, one after the other for a user', async () => {
  const endpointId = await world.makeEndpoint();
  world.receiver.answer(endpointId, () => ({ status: 204, delayMs: 5 }));
  const facts = Array.from({ length: 60 }, (_, index) => index + 1);
  for (const version of facts) await world.tell([endpointId], { type: 'usage.threshold_reached', version });
  await world.untilDone(endpointId);
  const came = world.receiver.at(endpointId);
  expect(came.map((one) => one.version).sort((a, b) => a - b)).toEqual(facts);
  expect(Math.max(...came.map((one) => one.ofUser))).toBe(0);
});

test('an endpoint that changes to the latest state is not told older ones after it', async () => {
  const endpointId = await world.makeEndpoint({ delivery: 'every' });
  world.receiver.answer(endpointId, ({ version }) => ({ status: version === 1 ? 500 : 204 }));
  const old = await world.tell([endpointId], { version: 1 });
  await world.tell([endpointId], { version: 2 });
  await world.database.webhookEndpoint.update({ where: { id: endpointId }, data: { delivery: 'latest' } });
  await world.untilDone(endpointId);
  const [delivery] = await world.deliveriesOf(old);
  expect(['superseded', 'failed']).toContain(delivery?.status);
  expect(accepted(world.receiver.at(endpointId)).map((one) => one.version)).toEqual([2]);
});
