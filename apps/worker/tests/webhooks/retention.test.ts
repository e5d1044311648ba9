import { dayMs, webhookDeliveryStatuses } from '@billing/domain';
import type { WebhookDeliveryStatus } from '@billing/domain';
import { startRetention } from '../support/retention-world.test-support.ts';
import { uniqueId } from '../support/start-test-worker.test-support.ts';
import type { TestWorker } from '../support/start-test-worker.test-support.ts';

const keptDays = 1.5;
let world: TestWorker;
let retention: Awaited<ReturnType<typeof startRetention>>;

beforeAll(async () => {
  retention = await startRetention({ WEBHOOK_RETENTION_DAYS: String(keptDays) });
  ({ world } = retention);
});
afterAll(() => retention.close());

const daysAgo = (days: number): Date => new Date(Date.now() - days * dayMs);
const projectId = 'shop';

async function makeEndpoint(columns: { deletedAt?: Date } = {}): Promise<string> {
  const id = uniqueId('whe');
  await world.database.webhookEndpoint.create({
    data: {
      id,
      projectId,
      url: 'https://shop.example/',
      eventTypes: ['*'],
      payload: 'full',
      delivery: 'latest',
      keyId: 'k',
      isEnabled: false,
      disabledReason: 'by_operator',
      ...columns,
    },
  });
  return id;
}

type Message = { status: WebhookDeliveryStatus | null; createdAt: Date; endpointId?: string };

/** A message with an attempt, and a delivery of the status; null: with none, as of a ping. */
async function makeMessage({ status, createdAt, endpointId = 'whe_other' }: Message): Promise<string> {
  const messageId = uniqueId('msg');
  const type = 'catalog.changed';
  await world.database.webhookMessage.create({
    data: { id: messageId, projectId, type, full: '{}', createdAt },
  });
  const attempt = { messageId, endpointId, at: createdAt, status: 204, durationMs: 1 };
  await world.database.webhookAttempt.create({ data: attempt });
  const nextTryAt = status === 'pending' ? new Date(Date.now() + dayMs) : null;
  if (status !== null)
    await world.database.webhookDelivery.create({
      data: { messageId, endpointId, projectId, type, form: 'full', status, nextTryAt },
    });
  return messageId;
}

const rowsOf = async (messageId: string): Promise<number[]> => [
  await world.database.webhookMessage.count({ where: { id: messageId } }),
  await world.database.webhookDelivery.count({ where: { messageId } }),
  await world.database.webhookAttempt.count({ where: { messageId } }),
];

it.each(webhookDeliveryStatuses)(
  'a message whose delivery is %s goes with all that belongs to it once it is old, unless it waits',
  async (status) => {
    const [old, young] = [
      await makeMessage({ status, createdAt: daysAgo(keptDays + 0.1) }),
      await makeMessage({ status, createdAt: daysAgo(keptDays - 0.1) }),
    ];
    await retention.run();
    expect(await rowsOf(old)).toEqual(status === 'pending' ? [1, 1, 1] : [0, 0, 0]);
    expect(await rowsOf(young)).toEqual([1, 1, 1]);
  },
);

it('so does a ping', async () => {
  const ping = await makeMessage({ status: null, createdAt: daysAgo(keptDays + 1) });
  await retention.run();
  expect(await rowsOf(ping)).toEqual([0, 0, 0]);
});

it('an endpoint that was deleted goes when nothing names it any more; others stay', async () => {
  const long = { deletedAt: daysAgo(keptDays + 1) };
  const [gone, named, late, alive] = [
    await makeEndpoint(long),
    await makeEndpoint(long),
    await makeEndpoint({ deletedAt: new Date() }),
    await makeEndpoint(),
  ];
  await makeMessage({ status: 'succeeded', createdAt: new Date(), endpointId: named });
  await retention.run();
  const left = await world.database.webhookEndpoint.findMany({
    where: { id: { in: [gone, named, late, alive] } },
  });
  expect(left.map(({ id }) => id).sort()).toEqual([named, late, alive].sort());
});

it('deletes more than one statement takes, and logs how many', async () => {
  const createdAt = daysAgo(keptDays + 2);
  await world.database.webhookMessage.createMany({
    data: Array.from({ length: 2_500 }, () => ({
      id: uniqueId('msg'),
      projectId,
      type: 'webhook.ping',
      full: '{}',
      createdAt,
    })),
  });
  await retention.run();
  expect(await world.database.webhookMessage.count({ where: { createdAt } })).toBe(0);
  expect(world.logs.join('')).toMatch(
    /"count":2500.*webhook_messages_deleted|webhook_messages_deleted.*"count":2500/,
  );
});
