import { buildApps, stripeEvent, subscriptionObject, waitFor } from '@billing/testing';
import { addEndpoint, startTellingWorld } from './support/telling-world.test-support.ts';
import type { TellingWorld } from './support/telling-world.test-support.ts';
import { spawnWorker } from './support/worker-process.test-support.ts';
import type { WorkerProcess } from './support/worker-process.test-support.ts';

let world: TellingWorld;
const running: WorkerProcess[] = [];

beforeAll(async () => {
  [world] = await Promise.all([startTellingWorld({ isStarted: false }), buildApps()]);
}, 120_000);
afterEach(() => Promise.all(running.splice(0).map((process) => process.kill('SIGKILL'))));
afterAll(() => world.close());

async function start(): Promise<WorkerProcess> {
  const child = await spawnWorker(world.environment);
  running.push(child);
  return child;
}

const users = 60;
const now = Math.floor(Date.now() / 1000);

const eventsOf = (index: number) =>
  ['active', index % 3 === 0 ? 'canceled' : 'past_due'].map((status, step) =>
    stripeEvent({
      type: 'customer.subscription.updated',
      created: now - 100 + step,
      object: subscriptionObject({
        id: `sub_told_${index}`,
        customer: `cus_told_${index}`,
        status,
        items: [{ priceId: 'price_sub', start: now - 1_000, end: now + 86_400 }],
        endedAt: status === 'canceled' ? now - 90 : null,
        metadata: { user_id: `told_${index}`, project_id: 'shop' },
      }),
    }),
  );

// W1: whatever is killed between the commit of a change and its message.
it('each change is told, once, by workers of which one after the other is killed', async () => {
  const endpoint = await addEndpoint(world.database, 'shop', { delivery: 'every' });
  const { database } = world;
  for (let index = 0; index < users; index += 1)
    for (const event of eventsOf(index)) await world.enqueue(event);
  const made = () => database.webhookMessage.count();
  await start();
  for (let round = 1; round <= 4; round += 1) {
    const [oldest] = running.splice(0, 1);
    await start();
    const before = await made();
    await waitFor(async () => (await made()) > before || (await database.webhookMark.count()) > 0, {
      what: 'something to be under way',
      timeoutMs: 30_000,
    });
    await oldest?.kill('SIGKILL');
  }
  await world.idle(60_000);
  await world.allTold();
  await world.baseLineEnds('shop');
  for (let index = 0; index < users; index += 1) {
    const userId = `told_${index}`;
    const messages = await world.told('shop', userId);
    const read = await world.features(Date.now(), userId);
    const told = messages.at(-1)?.data.entitlements ?? [];
    expect(told.map((entry) => [entry.feature_code, entry['status']])).toEqual(
      read.map(({ featureCode, status }) => [featureCode, status]),
    );
    for (const [step, { data }] of messages.entries())
      expect(data.previous_version).toBe(messages[step - 1]?.data.version ?? null);
  }
  const deliveries = await database.webhookDelivery.count({ where: { endpointId: endpoint } });
  expect(deliveries).toBe(await made());
}, 180_000);
