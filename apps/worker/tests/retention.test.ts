import { PassThrough } from 'node:stream';
import { dayMs, queueNames } from '@billing/domain';
import { createLogger, createQueue } from '@billing/platform';
import type { JobQueue } from '@billing/platform';
import { waitFor } from '@billing/testing';
import { startTestWorker, uniqueId } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';

const keptDays = 40;
let world: TestWorker;
let queue: JobQueue;

beforeAll(async () => {
  world = await startTestWorker({ env: { EVENT_RETENTION_DAYS: String(keptDays) } });
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

async function record(count: number, row: { status: string; processedAt: Date }): Promise<string[]> {
  const ids = Array.from({ length: count }, () => uniqueId('evt'));
  await world.database.stripeEvent.createMany({
    data: ids.map((eventId) => ({
      eventId,
      type: 'customer.subscription.updated',
      created: row.processedAt,
      receivedAt: row.processedAt,
      payload: {},
      // The ledger says why nothing was done.
      reason: ['applied', 'stale'].includes(row.status) ? null : 'unhandled_type',
      ...row,
    })),
  });
  return ids;
}

async function kept(ids: string[]): Promise<number> {
  return world.database.stripeEvent.count({ where: { eventId: { in: ids } } });
}

it.each<[status: string, age: number, isKept: boolean]>([
  ['applied', keptDays + 1, false],
  ['stale', keptDays + 1, false],
  ['ignored', keptDays + 1, false],
  ['quarantined', keptDays + 1, true],
  ['failed', keptDays + 1, true],
  ['applied', keptDays - 1, true],
  ['ignored', keptDays - 1, true],
])('an event that was %s %i days ago: kept %s', async (status, age, isKept) => {
  const ids = await record(2, { status, processedAt: daysAgo(age) });
  await runRetention();
  expect(await kept(ids)).toBe(isKept ? 2 : 0);
});

it('deletes more than one statement takes, and counts and logs it', async () => {
  const ids = await record(4_500, { status: 'applied', processedAt: daysAgo(keptDays + 100) });
  await runRetention();
  expect(await kept(ids)).toBe(0);
  const deleted = await world
    .worker()
    .deps.metrics.registry.getSingleMetricAsString('ledger_events_forgotten_total');
  expect(Number(/ledger_events_forgotten_total\S* (\d+)/.exec(deleted)?.[1])).toBeGreaterThanOrEqual(4_500);
  expect(world.logs.join('')).toContain('"count":4500');
});

it('is scheduled', async () => {
  const schedule = await waitFor(async () => (await queue.bull.getJobScheduler('retention')) ?? null, {
    what: 'the schedule',
  });
  expect(schedule.every).toBe(3_600_000);
});

it('the head of the audit chain is written to the log each time', async () => {
  const head = { id: '0', digest: '00'.repeat(32) };
  const logged = () =>
    world.logs
      .filter((line) => line.includes('"audit_head"'))
      .map((line): { id: string; digest: string } => JSON.parse(line))
      .map(({ id, digest }) => ({ id, digest }));
  const before = logged().length;
  await runRetention();
  expect(logged()[before]).toEqual(head);
  await world.database.$executeRaw`
    INSERT INTO public.audit_log (actor, action, target_type, target_id) VALUES ('ann', 'project.create', 'project', 'p')`;
  await runRetention();
  const [row] = await world.database.auditEntry.findMany({ take: 1, orderBy: { id: 'desc' } });
  if (row === undefined) throw new Error('there is a row');
  expect(logged()[before + 1]).toEqual({ id: '1', digest: Buffer.from(row.digest).toString('hex') });
});
