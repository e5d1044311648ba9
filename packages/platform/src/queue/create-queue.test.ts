import { startTestRedis, waitFor, type TestRedis } from '@billing/testing';
import { DelayedError, Worker } from 'bullmq';
import { createLogger } from '../logging/logger.ts';
import { connectRedis } from '../redis/connect-redis.ts';
import { createQueue, type JobQueue } from './create-queue.ts';

const logger = createLogger({ service: 'test', level: 'error', format: 'json' });
const DEADLINE = { deadlineMs: 1_000 };
const unavailable = { code: 'queue_unavailable', retryable: true };

let redis: TestRedis;
let queue: JobQueue;
let count = 0;

function nextJob() {
  count += 1;
  return { name: 'invoice.paid', data: { event: count }, jobId: `evt_${count}` };
}

async function untilAdds(): Promise<void> {
  await waitFor(() => queue.add(nextJob(), DEADLINE), {
    timeoutMs: 15_000,
    what: 'the queue to accept a job again',
  });
}

beforeAll(async () => {
  redis = await startTestRedis({ isStarted: false });
  queue = createQueue({ url: redis.url, name: 'events', prefix: 'bull', logger });
});

afterAll(async () => {
  await queue.close();
  await redis.stop();
});

test('Redis absent at start: fails at once, and works by itself once Redis is there', async () => {
  expect(queue.ready()).toBe(false);
  await expect(queue.add(nextJob(), DEADLINE)).rejects.toMatchObject(unavailable);
  await expect(queue.counts()).rejects.toMatchObject(unavailable);
  await expect(queue.headWaitingMs()).rejects.toMatchObject(unavailable);
  await expect(queue.getSchedule('nightly')).rejects.toMatchObject(unavailable);
  await expect(queue.setSchedule('nightly', { every: 86_400_000 })).rejects.toMatchObject(unavailable);
  await redis.start();
  await untilAdds();
});

test('tells duplicates apart', async () => {
  const job = nextJob();
  await expect(queue.add(job, DEADLINE)).resolves.toBe('added');
  await expect(queue.add(job, DEADLINE)).resolves.toBe('duplicate');
});

test('tells duplicates apart among many that are added at the same time', async () => {
  const [known, ...others] = Array.from({ length: 50 }, nextJob);
  if (known === undefined) throw new Error('a job');
  await queue.add(known, DEADLINE);
  const again = others.slice(0, 10);
  const added = await Promise.all([known, ...others, ...again].map((job) => queue.add(job, DEADLINE)));
  expect(added).toEqual(['duplicate', ...others.map(() => 'added'), ...again.map(() => 'duplicate')]);
  const jobs = await Promise.all(others.map(({ jobId }) => queue.bull.getJob(jobId)));
  expect(jobs.map((job) => job?.data)).toEqual(others.map(({ data }) => data));
});

test('counts jobs and tells the age of the oldest that waits', async () => {
  await queue.bull.obliterate({ force: true });
  await expect(queue.oldestWaitingMs()).resolves.toBeNull();
  await queue.addBulk([nextJob(), nextJob()], DEADLINE);
  await expect(queue.counts()).resolves.toMatchObject({ waiting: 2, failed: 0 });
  await expect(queue.oldestWaitingMs()).resolves.toBeGreaterThanOrEqual(0);
});

test('tells how long the next job waits, and of a paused queue that none does', async () => {
  await queue.bull.obliterate({ force: true });
  await expect(queue.headWaitingMs()).resolves.toBeNull();
  await queue.add({ ...nextJob(), opts: { timestamp: Date.now() - 3_600_000 } }, DEADLINE);
  await queue.add(nextJob(), DEADLINE);
  await expect(queue.headWaitingMs()).resolves.toBeGreaterThanOrEqual(3_600_000);
  await queue.bull.pause();
  await expect(queue.headWaitingMs()).resolves.toBeNull();
  await queue.bull.resume();
});

test('keeps one schedule of an id', async () => {
  await expect(queue.getSchedule('hourly')).resolves.toBeUndefined();
  await queue.setSchedule('hourly', { every: 1_800_000 });
  await queue.setSchedule('hourly', { every: 3_600_000 });
  await expect(queue.getSchedule('hourly')).resolves.toMatchObject({ name: 'hourly', every: 3_600_000 });
});

test('a job that is tried again keeps its age; one that is planned for later has none', async () => {
  await queue.bull.obliterate({ force: true });
  const hourAgo = Date.now() - 3_600_000;
  const planned = { ...nextJob(), opts: { delay: 3_600_000 } };
  await queue.add(planned, DEADLINE);
  await queue.bull.upsertJobScheduler('nightly', { every: 86_400_000, offset: 1 }, { name: 'nightly' });
  await expect(queue.oldestWaitingMs()).resolves.toBeNull();
  const retried = { ...nextJob(), opts: { timestamp: hourAgo } };
  await queue.add(retried, DEADLINE);
  const connection = connectRedis({ url: redis.url, role: 'worker', logger });
  const worker = new Worker(
    'events',
    async (job, token) => {
      await job.moveToDelayed(Date.now() + 600_000, token);
      throw new DelayedError();
    },
    { connection },
  );
  worker.on('error', () => undefined);
  await waitFor(async () => (await queue.counts())['delayed'] === 3, { what: 'the job to be put back' });
  await worker.close(true);
  connection.disconnect();
  await queue.add(nextJob(), DEADLINE);
  await expect(queue.oldestWaitingMs()).resolves.toBeGreaterThanOrEqual(3_600_000);
});

test('a failed job that was kept does not swallow its resend', async () => {
  await queue.bull.obliterate({ force: true });
  const job = nextJob();
  await queue.add({ ...job, opts: { removeOnFail: false, attempts: 1 } }, DEADLINE);
  const runs: (string | undefined)[] = [];
  const connection = connectRedis({ url: redis.url, role: 'worker', logger });
  const worker = new Worker(
    'events',
    async ({ id }) => {
      runs.push(id);
      if (runs.length === 1) throw new Error('the first run fails');
    },
    { connection },
  );
  worker.on('error', () => undefined);
  await waitFor(async () => (await queue.counts())['failed'] === 1, { what: 'the job to fail' });
  await expect(queue.add(job, DEADLINE)).resolves.toBe('added');
  await waitFor(() => runs.length === 2, { what: 'the resend to run' });
  await worker.close(true);
  connection.disconnect();
});

test('Redis killed: fails at once; started again: works', async () => {
  await redis.kill();
  await waitFor(() => !queue.ready(), { what: 'the lost connection to be noticed' });
  await expect(queue.add(nextJob(), DEADLINE)).rejects.toMatchObject(unavailable);
  await redis.start();
  await untilAdds();
});

test('Redis frozen: fails at the deadline; thawed: works', async () => {
  redis.pause();
  await expect(queue.add(nextJob(), { deadlineMs: 300 })).rejects.toMatchObject(unavailable);
  redis.resume();
  await untilAdds();
});

test('Redis frozen at the first contact: works when it is thawed', async () => {
  redis.pause();
  const late = createQueue({ url: redis.url, name: 'events', prefix: 'bull', logger });
  await expect(late.add(nextJob(), { deadlineMs: 300 })).rejects.toMatchObject(unavailable);
  redis.resume();
  await waitFor(() => late.add(nextJob(), DEADLINE), {
    timeoutMs: 15_000,
    what: 'the queue to accept a job',
  });
  await late.close();
});

test('Redis out of memory is queue_unavailable, not a crash', async () => {
  const admin = connectRedis({ url: redis.url, role: 'worker', logger });
  await admin.config('SET', 'maxmemory', '1');
  await expect(queue.add(nextJob(), DEADLINE)).rejects.toMatchObject(unavailable);
  await admin.config('SET', 'maxmemory', '0');
  await untilAdds();
  admin.disconnect();
});
