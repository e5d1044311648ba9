import { PassThrough } from 'node:stream';
import { dayMs, queueNames, webhookDeliveryStatuses } from '@billing/domain';
import type { WebhookDeliveryStatus } from '@billing/domain';
import { createLogger, createQueue } from '@billing/platform';
import type { JobQueue } from '@billing/platform';
import { waitFor } from '@billing/testing';
import { startTestWorker, uniqueId } from '../support/start-test-worker.test-support.ts';
import type { TestWorker } from '../support/start-test-worker.test-support.ts';

const keptDays = 1.5;
let world: TestWorker;
let queue: JobQueue;

beforeAll(async () => {
  world = await startTestWorker({ env: { WEBHOOK_RETENTION_DAYS: String(keptDays) } });
  const destination = new PassThrough().resume();
  const logger = createLogger({ service: 'test', level: 'error', format: 'json', destination });
  queue = createQueue({ url: world.redis.url, name: queueNames.maintenance, prefix: 'bull', logger });
  await waitFor(() => queue.ready(), { what: 'the queue' });
});
afterAll(async () => {
  await queue.close();
  await world.close();
});

/** Adds the job as the schedule does, and waits for its end. */
async function runRetention(): Promise<void> {
  const jobId = uniqueId('retention');
  await queue.add({ name: 'retention', data: {}, jobId }, { deadlineMs: 5_000 });
  await waitFor(async () => (await queue.bull.getJob(jobId)) === undefined, { what: 'the job' });
}

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
    await runRetention();
    expect(await rowsOf(old)).toEqual(status === 'pending' ? [1, 1, 1] : [0, 0, 0]);
    expect(await rowsOf(young)).toEqual([1, 1, 1]);
  },
);

it('so does a ping', async () => {
  const ping = await makeMessage({ status: null, createdAt: daysAgo(keptDays + 1) });
  await runRetention();
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
  await runRetention();
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
  await runRetention();
  expect(await world.database.webhookMessage.count({ where: { createdAt } })).toBe(0);
  expect(world.logs.join('')).toMatch(
    /"count":2500.*webhook_messages_deleted|webhook_messages_deleted.*"count":2500/,
  );
});
