import { PassThrough } from 'node:stream';
import { queueNames } from '@billing/domain';
import { createLogger, createQueue } from '@billing/platform';
import { createTestDatabase, startTestRedis, waitFor } from '@billing/testing';
import { readConfig, startWorker } from '../../../apps/worker/src/index.ts';
import { createEventApplier, recheckDue } from '@billing/sync';
import { projectId } from './life.ts';
import { startStripeServer } from './stripe-server.ts';

export type World = Awaited<ReturnType<typeof startWorld>>;

/** What is sold: two plans that share a feature, an addition, and something bought once. */
const catalog = [
  { name: 'pro', features: ['pro'], interval: 'month' },
  { name: 'team', features: ['pro', 'team'], interval: 'month' },
  { name: 'addon', features: ['extra'], interval: 'month' },
  { name: 'once', features: ['export'], interval: 'one_time' },
];

/** The real worker on a Postgres, a Redis and a Stripe of its own, for many lives at once. */
export async function startWorld() {
  const [testDatabase, redis, stripe] = await Promise.all([
    createTestDatabase(),
    startTestRedis(),
    startStripeServer(),
  ]);
  const logs: string[] = [];
  const destination = new PassThrough();
  destination.on('data', (chunk: Buffer) => logs.push(chunk.toString()));
  const logger = createLogger({ service: 'worker', level: 'error', format: 'json', destination });
  const config = readConfig({
    NODE_ENV: 'test',
    WORKER_PORT: '0',
    DATABASE_URL: testDatabase.url,
    DATABASE_POOL_SIZE: '10',
    REDIS_URL: redis.url,
    STRIPE_SECRET_KEY: 'sk_test_worker',
    STRIPE_API_BASE: stripe.url,
  });
  const ahead = { ms: 0 };
  const worker = await startWorker({
    config,
    logger,
    clock: () => Date.now() + ahead.ms,
    host: '127.0.0.1',
  });
  const { deps } = worker;
  // Thousands of lives share what is one account's budget elsewhere.
  deps.budget = { ...deps.budget, take: () => Promise.resolve(true) };
  const { database } = deps;
  await database.project.create({ data: { id: projectId, name: 'Life' } });
  for (const { name, features, interval } of catalog) {
    await database.product.create({ data: { projectId, productId: name, name, featureCodes: features } });
    await database.price.create({
      data: {
        projectId,
        priceId: `our_${name}`,
        productId: name,
        stripePriceId: `price_${name}`,
        amount: 4900n,
        currency: 'usd',
        interval,
      },
    });
  }
  const queue = createQueue({
    url: redis.url,
    name: queueNames.stripeEvents,
    prefix: config.queuePrefix,
    logger,
  });
  await waitFor(() => queue.ready(), { what: 'the queue' });

  let settling: Promise<unknown> | null = null;
  const idle = new AbortController().signal;
  return {
    deps,
    database,
    stripe,
    queue,
    logs,
    /** Two, as two processes would have: between them only the rowVersion keeps order. */
    appliers: [
      createEventApplier(deps, { maxAlone: 16 }),
      createEventApplier(deps, { maxAlone: 16 }),
    ] as const,
    /** One round of the settling loop, some time later. */
    settleLater: async (): Promise<void> => {
      ahead.ms += 20_000;
      settling ??= recheckDue(deps, idle).finally(() => {
        settling = null;
      });
      await settling;
    },
    close: async (): Promise<void> => {
      await worker.stop();
      await queue.close();
      await stripe.close();
      await redis.stop();
      await testDatabase.drop();
    },
  };
}
