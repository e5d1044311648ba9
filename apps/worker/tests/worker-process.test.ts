import {
  buildApps,
  freePort,
  startTestRedis,
  stripeEvent,
  subscriptionObject,
  waitFor,
} from '@billing/testing';
import { startTestWorker } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';
import { spawnWorker } from './support/worker-process.test-support.ts';
import type { WorkerProcess } from './support/worker-process.test-support.ts';

let world: TestWorker;
const running: WorkerProcess[] = [];

beforeAll(async () => {
  [world] = await Promise.all([startTestWorker({ isStarted: false }), buildApps()]);
}, 120_000);
afterEach(() => Promise.all(running.splice(0).map((process) => process.kill('SIGKILL'))));
afterAll(() => world.close());

async function start(env: Record<string, string> = {}): Promise<WorkerProcess> {
  const child = await spawnWorker({ ...world.environment, ...env });
  running.push(child);
  return child;
}

const eventOf = (index: number) =>
  stripeEvent({
    type: 'customer.subscription.created',
    object: subscriptionObject({
      id: `sub_${index}`,
      customer: `cus_many_${index}`,
      metadata: { user_id: `many_${index}`, project_id: 'shop' },
    }),
  });

describe('the worker process', () => {
  it('killed in the middle of 200 events loses none and applies each once', async () => {
    const events = Array.from({ length: 200 }, (_, index) => eventOf(index));
    for (const event of events) await world.enqueue(event);
    const recorded = () => world.database.stripeEvent.count();
    const first = await start({ WORKER_CONCURRENCY: '1' });
    await waitFor(async () => (await recorded()) >= 20, { what: 'the first events', timeoutMs: 20_000 });
    await first.kill('SIGKILL');
    expect(await recorded()).toBeLessThan(200);
    await start();
    await world.idle(45_000);
    expect(await recorded()).toBe(200);
    expect(await world.database.subscription.count({ where: { rowVersion: 1 } })).toBe(200);
    const users = await world.database.user.findMany({ where: { userId: { startsWith: 'many_' } } });
    expect(users.map((user) => user.version)).toEqual(Array.from({ length: 200 }, () => 1n));
  }, 90_000);

  it('ends on SIGTERM with code 0 and leaves no job behind', async () => {
    const child = await start();
    const events = Array.from({ length: 50 }, (_, index) => eventOf(1000 + index));
    await Promise.all(events.map((event) => world.enqueue(event)));
    await waitFor(() => child.output().includes('worker_started'), { what: 'the start' });
    expect(await child.kill('SIGTERM')).toBe(0);
    expect((await world.queue.counts())['active']).toBe(0);
    await start();
    await world.idle(45_000);
    expect(
      await world.database.subscription.count({ where: { id: { startsWith: 'sub_10' } } }),
    ).toBeGreaterThanOrEqual(50);
  }, 90_000);

  it('starts with Redis absent and becomes ready by itself', async () => {
    const redis = await startTestRedis({ isStarted: false });
    const port = await freePort();
    await start({ REDIS_URL: redis.url, WORKER_PORT: String(port) });
    const ready = async () => (await fetch(`http://127.0.0.1:${port}/ready`)).status;
    await waitFor(async () => (await ready()) === 503, { what: 'the first answer', timeoutMs: 20_000 });
    await redis.start();
    await waitFor(async () => (await ready()) === 200, { what: 'readiness', timeoutMs: 20_000 });
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    for (const name of [
      'webhook_events_processed_total',
      'webhook_processing_seconds',
      'database_query_duration_seconds',
    ])
      expect(metrics).toContain(name);
    await redis.stop();
  }, 60_000);

  it('is not ready while a migration is missing', async () => {
    const port = await freePort();
    await start({ WORKER_PORT: String(port) });
    const ready = async (): Promise<unknown[]> => {
      const response = await fetch(`http://127.0.0.1:${port}/ready`);
      return [response.status, await response.json()];
    };
    const until = (status: number, what: string) =>
      waitFor(async () => (await ready())[0] === status, { what, timeoutMs: 20_000 });
    await until(200, 'readiness');
    const rename = (from: string, to: string) =>
      world.asOwner(
        `UPDATE public._prisma_migrations SET migration_name = '${to}' WHERE migration_name = '${from}'`,
      );
    const [needed, other] = ['20261123000000_initial', 'another'];
    await rename(needed, other);
    await until(503, 'the missing migration');
    expect((await ready())[1]).toMatchObject({
      status: 'not ready',
      checks: { database: `migration ${needed} is missing: run npm run db:migrate` },
    });
    await rename(other, needed);
    await until(200, 'readiness again');
  }, 60_000);

  it('ends on SIGTERM with code 0 where neither Redis nor Postgres ever answered', async () => {
    const redis = await startTestRedis({ isStarted: false });
    const child = await start({
      REDIS_URL: redis.url,
      DATABASE_URL: 'postgres://nobody@127.0.0.1:9/nothing',
    });
    await waitFor(() => child.output().includes('loop_failing'), {
      what: 'the first check',
      timeoutMs: 20_000,
    });
    expect(await child.kill('SIGTERM')).toBe(0);
    expect(child.output()).not.toContain('shutdown_timed_out');
    await redis.stop();
  }, 60_000);

  it('names every variable that is missing', async () => {
    const child = await spawnWorker({ REDIS_URL: 'nonsense' });
    expect(await child.exited).toBe(1);
    for (const name of ['DATABASE_URL', 'REDIS_URL', 'STRIPE_SECRET_KEY'])
      expect(child.output()).toContain(name);
    expect(child.output()).not.toContain('nonsense');
  });
});
