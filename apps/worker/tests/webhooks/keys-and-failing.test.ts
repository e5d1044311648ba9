import { createWebhookSecrets } from '@billing/platform';
import { waitFor } from '@billing/testing';
import { newWebhookKey, startWebhookWorld } from '../support/webhook-world.test-support.ts';
import type { WebhookWorld } from '../support/webhook-world.test-support.ts';

let world: WebhookWorld;
const oldKey = newWebhookKey();
const lostKey = newWebhookKey();
const keyIdOf = (key: string): string => createWebhookSecrets([key]).keyIds[0] ?? '';

beforeAll(async () => {
  const newKey = newWebhookKey();
  world = await startWebhookWorld({
    env: {
      WEBHOOK_SECRET_KEY: `${newKey},${oldKey}`,
      WEBHOOK_RETRY_SCHEDULE: '0,0.3,0.3,0.3,0.3,0.3,0.3,0.3,0.3',
      WEBHOOK_DISABLE_AFTER_HOURS: '0.0002',
    },
  });
});
afterAll(() => world.close());

const base = (): string => `http://127.0.0.1:${world.worker().port}`;
const ready = async () => {
  const response = await fetch(`${base()}/ready`);
  return { status: response.status, body: (await response.json()) as { status: string; checks: object } };
};
const metrics = async (): Promise<string> => (await fetch(`${base()}/metrics`)).text();

test('an endpoint whose key is missing waits, others go on, and everybody can see it', async () => {
  const lacking = await world.makeEndpoint({ keyId: keyIdOf(lostKey) });
  const well = await world.makeEndpoint({ keyId: keyIdOf(oldKey) });
  const messageId = await world.tell([lacking, well]);
  await world.untilDone(well);
  expect(world.receiver.at(well)).toHaveLength(1);
  expect(world.receiver.at(lacking)).toEqual([]);
  expect((await world.deliveriesOf(messageId)).map((one) => [one.status, one.attempts])).toEqual([
    ['pending', 0],
    ['succeeded', 1],
  ]);
  expect(await ready()).toMatchObject({
    status: 200,
    body: {
      status: 'degraded',
      checks: { webhooks: `WEBHOOK_SECRET_KEY lacks the key ${keyIdOf(lostKey)}` },
    },
  });
  await waitFor(async () => (await metrics()).includes('webhook_endpoints{state="key_missing"} 1'), {
    what: 'the gauge',
  });
  expect(world.logs.some((line) => line.includes('webhook_key_missing'))).toBe(true);
  // The secret is made anew by a key that is here.
  await world.database.webhookEndpoint.update({
    where: { id: lacking },
    data: { generation: 2, keyId: keyIdOf(oldKey) },
  });
  await world.untilDone(lacking);
  expect(await ready()).toMatchObject({ status: 200, body: { status: 'ready' } });
});

test('until the overlap of a rotation ends both secrets sign', async () => {
  const id = await world.makeEndpoint({ keyId: keyIdOf(oldKey) });
  const signatures = async (): Promise<number> => {
    await world.tell([id], { version: world.receiver.at(id).length + 1 });
    await world.untilDone(id);
    return String(world.receiver.at(id).at(-1)?.headers['webhook-signature']).split(' ').length;
  };
  expect(await signatures()).toBe(1);
  const rotated = { generation: 2, previousGeneration: 1, previousKeyId: keyIdOf(oldKey) };
  await world.database.webhookEndpoint.update({
    where: { id },
    data: { ...rotated, previousUntil: new Date(Date.now() + 3_600_000) },
  });
  expect(await signatures()).toBe(2);
  await world.database.webhookEndpoint.update({ where: { id }, data: { previousUntil: new Date() } });
  expect(await signatures()).toBe(1);
});

test('an endpoint that fails for too long is disabled, and what waits is not sent once it is enabled', async () => {
  const id = await world.makeEndpoint({ keyId: keyIdOf(oldKey) });
  world.receiver.answer(id, () => ({ status: 500 }));
  const messageId = await world.tell([id]);
  await waitFor(async () => !(await world.endpoint(id)).isEnabled, { what: 'the end' });
  expect(await world.endpoint(id)).toMatchObject({ disabledReason: 'failing' });
  await world.untilDone(id);
  expect(await world.deliveriesOf(messageId)).toMatchObject([{ status: 'discarded' }]);
  const tries = world.receiver.at(id).length;
  expect(tries).toBeGreaterThan(1);
  await world.database.webhookEndpoint.update({
    where: { id },
    data: { isEnabled: true, disabledReason: null, failingSince: null },
  });
  world.receiver.answer(id, () => ({ status: 204 }));
  await world.tell([id], { version: 2 });
  await world.untilDone(id);
  expect(world.receiver.at(id)).toHaveLength(tries + 1);
  await waitFor(async () => /webhook_deliveries_total\{outcome="retrying"\} \d/.test(await metrics()), {
    what: 'the counter',
  });
});

test('a worker that stops leaves what it has begun to the next, at once', async () => {
  const id = await world.makeEndpoint({ keyId: keyIdOf(oldKey) });
  world.receiver.answer(id, () => ({ status: null }));
  const messageId = await world.tell([id]);
  await waitFor(async () => (await world.deliveriesOf(messageId))[0]?.claimedUntil !== null, {
    what: 'the claim',
  });
  await world.stopWorker();
  expect(await world.deliveriesOf(messageId)).toMatchObject([
    { status: 'pending', attempts: 0, claimedUntil: null },
  ]);
  world.receiver.answer(id, () => ({ status: 204 }));
  await world.startWorker();
  await world.untilDone(id);
  expect(await world.deliveriesOf(messageId)).toMatchObject([{ status: 'succeeded', attempts: 1 }]);
});
