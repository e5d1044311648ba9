import { randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { deriveEntitlements, hourMs, queueNames, resolvePolicy } from '@billing/domain';
import { createOfflineStripe } from '@billing/offline-stripe';
import { createLogger, createQueue } from '@billing/platform';
import { createDatabase, readSources } from '@billing/store';
import { createTestDatabase, startTestRedis, waitFor } from '@billing/testing';
import { Stripe } from 'stripe';
import { readConfig } from '../../src/config.ts';
import { startWorker } from '../../src/start-worker.ts';

export type TestWorker = Awaited<ReturnType<typeof startTestWorker>>;

type AnyEvent = { id: string; type: string };

const silent = () =>
  createLogger({ service: 'test', level: 'error', format: 'json', destination: new PassThrough().resume() });

/**
 * The real worker in this process on a Postgres, a Redis and an offline Stripe of its own, with a project
 * `shop` that sells `price_sub` (feature `pro`), `price_addon` (`extra`) and `price_once` (`export`), and a
 * user `ann`, who is Stripe's customer `cus_1`.
 */
export async function startTestWorker(options: { isStarted?: boolean; env?: Record<string, string> } = {}) {
  const offline = createOfflineStripe({ stateDir: null, webhookUrl: null, webhookSecret: 'whsec_unused' });
  const [testDatabase, redis, stripeServer] = await Promise.all([
    createTestDatabase(),
    startTestRedis(),
    offline.listen(0),
  ]);
  const logs: string[] = [];
  const destination = new PassThrough();
  destination.on('data', (chunk: Buffer) => logs.push(chunk.toString()));
  const environment = {
    NODE_ENV: 'test',
    WORKER_PORT: '0',
    DATABASE_URL: testDatabase.url,
    DATABASE_POOL_SIZE: '5',
    REDIS_URL: redis.url,
    STRIPE_SECRET_KEY: 'sk_test_worker',
    STRIPE_API_BASE: stripeServer.url,
    STRIPE_READS_PER_SECOND: '100',
    // What a test does not deliver must not come by itself.
    EVENT_SWEEP_SECONDS: '86400',
    ...options.env,
  };
  const config = readConfig(environment);
  const clock = { offsetMs: 0 };
  const start = () =>
    startWorker({
      config,
      logger: createLogger({ service: 'worker', level: 'info', format: 'json', destination }),
      clock: () => Date.now() + clock.offsetMs,
      host: '127.0.0.1',
      pace: 0.4,
    });
  const database = createDatabase({
    url: testDatabase.url,
    poolSize: 4,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 10_000,
  });
  await seed(database, stripeServer.url);
  const queue = createQueue({
    url: redis.url,
    name: queueNames.stripeEvents,
    prefix: config.queuePrefix,
    logger: silent(),
  });
  await waitFor(() => queue.ready(), { what: 'the queue' });
  let worker = options.isStarted === false ? null : await start();

  async function enqueue(event: AnyEvent, jobId = event.id): Promise<void> {
    const received_at = new Date().toISOString();
    await queue.add({ name: event.type, data: { event, received_at }, jobId }, { deadlineMs: 5_000 });
  }

  async function ledger(): Promise<{ eventId: string; status: string; attempts: number }[]> {
    return database.stripeEvent.findMany({
      select: { eventId: true, status: true, attempts: true },
      orderBy: { eventId: 'asc' },
    });
  }

  /** Resolves when no job is left in the queue. */
  async function idle(timeoutMs = 20_000): Promise<void> {
    await waitFor(
      async () => {
        const counts = await queue.counts();
        return Object.values(counts).every((count) => count === 0);
      },
      { what: 'an empty queue', timeoutMs },
    );
  }

  return {
    environment,
    config,
    clock,
    database,
    asOwner: testDatabase.asOwner,
    redis,
    queue,
    logs,
    stripeUrl: stripeServer.url,
    stripe: new Stripe('sk_test_x', {
      host: '127.0.0.1',
      port: stripeServer.port,
      protocol: 'http',
      telemetry: false,
    }),
    worker: () => {
      if (worker === null) throw new Error('the worker was not started');
      return worker;
    },
    startWorker: async () => {
      worker = await start();
    },
    stopWorker: async () => {
      await worker?.stop();
      worker = null;
    },
    enqueue,
    idle,
    ledger,
    /** Enqueues events one after the other, each applied before the next. */
    deliver: async (...events: AnyEvent[]): Promise<void> => {
      for (const event of events) {
        await enqueue(event);
        await idle();
      }
    },
    /** What became of one event, as `status` or `status:reason`. */
    outcomeOf: async ({ id }: AnyEvent): Promise<string | null> => {
      const row = await database.stripeEvent.findUnique({ where: { eventId: id } });
      if (row === null) return null;
      return row.reason === null ? row.status : `${row.status}:${row.reason}`;
    },
    /** The features of a user at a moment, computed from what is stored. */
    features: async (at: number, userId = 'ann', projectId = 'shop') => {
      const found = (await readSources(database, projectId, [userId])).get(userId);
      if (found === undefined) return [];
      const context = { policy: resolvePolicy(found.policy, 7), now: at, renewalAllowanceMs: 24 * hourMs };
      return deriveEntitlements(found.sources, context).entitlements;
    },
    versionOf: async (userId = 'ann', projectId = 'shop'): Promise<bigint | null> => {
      const user = await database.user.findUnique({ where: { projectId_userId: { projectId, userId } } });
      return user?.version ?? null;
    },
    control: async (path: string, body: object = {}): Promise<unknown> => {
      const response = await fetch(`${stripeServer.url}/_offline${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`control ${path}: ${response.status} ${await response.text()}`);
      return response.json();
    },
    close: async (): Promise<void> => {
      await worker?.stop();
      await queue.close();
      await database.$disconnect();
      await stripeServer.close();
      await redis.stop();
      await testDatabase.drop();
    },
  };
}

/** The official client's types do not let one choose the id of a price. */
async function makeAtStripe(stripeUrl: string, id: string, interval: string): Promise<void> {
  const terms = { id, currency: 'usd', unit_amount: '4900', 'product_data[name]': id };
  const recurring = interval === 'one_time' ? {} : { 'recurring[interval]': interval };
  const response = await fetch(`${stripeUrl}/v1/prices`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk_test_x' },
    body: new URLSearchParams({ ...terms, ...recurring }),
  });
  if (!response.ok) throw new Error(`the price ${id} is refused: ${await response.text()}`);
}

async function seed(database: ReturnType<typeof createDatabase>, stripeUrl: string): Promise<void> {
  const projectId = 'shop';
  await database.project.create({ data: { id: projectId, name: 'Shop' } });
  const sold = [
    { name: 'sub', feature: 'pro', interval: 'month' },
    { name: 'addon', feature: 'extra', interval: 'month' },
    { name: 'once', feature: 'export', interval: 'one_time' },
  ];
  for (const { name, feature, interval } of sold) {
    await database.product.create({
      data: { projectId, productId: name, name, featureCodes: [feature] },
    });
    await database.price.create({
      data: {
        projectId,
        priceId: `our_${name}`,
        productId: name,
        stripePriceId: `price_${name}`,
        amount: 4900n,
        currency: 'usd',
        interval,
        // Stripe is asked when a test lets it be.
        verifyAt: null,
      },
    });
    await makeAtStripe(stripeUrl, `price_${name}`, interval);
  }
  const ann = await database.user.create({ data: { projectId, userId: 'ann' } });
  await database.customer.create({
    data: { stripeCustomerId: 'cus_1', userRef: ann.id, source: 'checkout' },
  });
}

export const uniqueId = (prefix: string): string => `${prefix}_${randomBytes(8).toString('hex')}`;
