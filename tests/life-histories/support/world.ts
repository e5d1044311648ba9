import { PassThrough } from 'node:stream';
import { queueNames } from '@billing/domain';
import { createLogger, createQueue } from '@billing/platform';
import { createTestDatabase, startTestRedis, waitFor } from '@billing/testing';
import { readConfig, startWorker } from '../../../apps/worker/src/index.ts';
import { createEventApplier, recheckDue } from '@billing/sync';
import { projectId } from './life.ts';
import { startStripeServer } from './stripe-server.ts';
import type { StripeServer } from './stripe-server.ts';

const group = 'plans';

/**
 * What is sold: plans of which two share a feature, an add-on, and one-time purchases. What is mapped as a whole has no price of
 * its own in the catalog. Who has no plan has the free one.
 */
const catalog: {
  name: string;
  features: string[];
  interval: string;
  amount: bigint;
  group?: string;
  isWhole?: boolean;
}[] = [
  { name: 'pro', features: ['pro'], interval: 'month', amount: 4_900n, group },
  { name: 'team', features: ['pro', 'team'], interval: 'month', amount: 4_900n, group },
  { name: 'yearly', features: ['year'], interval: 'year', amount: 49_000n, group },
  { name: 'addon', features: ['extra'], interval: 'month', amount: 500n, isWhole: true },
  { name: 'once', features: ['export'], interval: 'one_time', amount: 10_000n },
  { name: 'help', features: ['help'], interval: 'one_time', amount: 2_000n, isWhole: true },
];

type Worker = Awaited<ReturnType<typeof startWorker>>;
type Applier = ReturnType<typeof createEventApplier>;

export type World = {
  deps: Worker['deps'];
  database: Worker['deps']['database'];
  stripe: StripeServer;
  queue: ReturnType<typeof createQueue>;
  /** Two, like two processes: between them only the row version keeps order. */
  appliers: readonly [Applier, Applier];
  /** One round of rechecks, some time later. */
  recheckLater: () => Promise<void>;
  close: () => Promise<void>;
};

/** The real worker on its own Postgres, Redis and Stripe, for many lives at once. */
export async function startWorld(): Promise<World> {
  const [testDatabase, redis, stripe] = await Promise.all([
    createTestDatabase(),
    startTestRedis(),
    startStripeServer(),
  ]);
  const destination = new PassThrough().resume();
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
  // Thousands of lives would share the read budget of one Stripe account.
  deps.budget = { ...deps.budget, take: () => Promise.resolve(true) };
  const { database } = deps;
  await database.project.create({ data: { id: projectId, name: 'Life' } });
  await database.product.create({
    data: { projectId, productId: 'free', name: 'Free', featureCodes: ['basic'], group, isDefault: true },
  });
  for (const { name, features, interval, amount, group: ofGroup = null, isWhole = false } of catalog) {
    const product = { projectId, productId: name, name, featureCodes: features, group: ofGroup };
    await database.product.create({
      data: { ...product, stripeProductId: isWhole ? `prod_${name}` : null },
    });
    if (isWhole) continue;
    await database.price.create({
      data: {
        projectId,
        priceId: `our_${name}`,
        productId: name,
        stripePriceId: `price_${name}`,
        amount,
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

  let recheck: Promise<unknown> | null = null;
  const idle = new AbortController().signal;
  return {
    deps,
    database,
    stripe,
    queue,
    appliers: [createEventApplier(deps, { maxAlone: 16 }), createEventApplier(deps, { maxAlone: 16 })],
    recheckLater: async () => {
      ahead.ms += 60_000;
      recheck ??= recheckDue(deps, idle).finally(() => {
        recheck = null;
      });
      await recheck;
    },
    close: async () => {
      await worker.stop();
      await queue.close();
      await stripe.close();
      await redis.stop();
      await testDatabase.drop();
    },
  };
}
