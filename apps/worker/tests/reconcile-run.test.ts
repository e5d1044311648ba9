import { dayMs, isHandledEventType, reconcileResult } from '@billing/domain';
import { createLogger } from '@billing/platform';
import { requestReconcile } from '@billing/store';
import { stripeEvent, subscriptionObject, waitFor } from '@billing/testing';
import { PassThrough } from 'node:stream';
import { startWorker } from '../src/start-worker.ts';
import { startTestWorker, uniqueId } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';
import { startJourney } from './support/stripe-journey.test-support.ts';
import type { Journey } from './support/stripe-journey.test-support.ts';

let world: TestWorker;

beforeAll(async () => {
  world = await startTestWorker();
});
afterAll(() => world.close());

const actor = { name: 'tester', requestId: null };

const order = (scope: { dryRun?: boolean; projectId?: string } = {}) =>
  requestReconcile(
    world.database,
    { dryRun: scope.dryRun ?? false, projectId: scope.projectId ?? null },
    actor,
  );

/** A run without a job in the queue: workers find it by themselves. */
async function reconcile(scope: { dryRun?: boolean; projectId?: string } = {}) {
  const { runId } = await order(scope);
  return ended(runId);
}

async function ended(runId: string) {
  const run = await waitFor(
    async () => {
      const found = await world.database.run.findUniqueOrThrow({ where: { id: runId } });
      return found.status === 'running' ? null : found;
    },
    { what: 'the run', timeoutMs: 40_000 },
  );
  expect(run).toMatchObject({ status: 'done', error: null });
  return reconcileResult.parse(run.result);
}

async function buy(mode: 'subscription' | 'payment' = 'subscription'): Promise<Journey> {
  const journey = await startJourney(world, mode);
  await journey.map();
  await journey.pay();
  return journey;
}

/** All handled events again: those in the ledger have no effect. */
async function deliverAll(...journeys: readonly Journey[]): Promise<void> {
  const histories = await Promise.all(journeys.map((journey) => journey.history()));
  const handled = histories.flat().filter((event) => isHandledEventType(event.type));
  for (const event of handled) await world.enqueue(event);
  await world.idle();
}

const featuresOf = async ({ userId }: Journey, at = Date.now()): Promise<string[]> =>
  (await world.features(at, userId)).map((one) => one.featureCode);

it('without a single event it brings everything to what Stripe has, and then finds nothing more', async () => {
  const [subscribed, bought] = [await buy(), await buy('payment')];
  expect([await featuresOf(subscribed), await featuresOf(bought)]).toEqual([[], []]);
  const dry = await reconcile({ dryRun: true });
  expect(dry.subscriptions_updated).toBeGreaterThanOrEqual(1);
  expect(await world.database.subscription.count()).toBe(0);
  const first = await reconcile();
  expect(first.drift.map(({ kind }) => kind)).toEqual(dry.drift.map(({ kind }) => kind));
  expect(await featuresOf(subscribed)).toEqual(['pro']);
  expect(await featuresOf(bought)).toEqual(['export']);
  const subscription = await subscribed.subscription();
  expect(first.drift.find((one) => one.object_id === subscription.id)).toMatchObject({
    kind: 'subscription_created',
    before: null,
    after: { status: 'active', user_id: subscribed.userId },
  });
  expect(await reconcile()).toMatchObject({
    subscriptions_updated: 0,
    purchases_updated: 0,
    drift: [],
    subscriptions_missing_in_stripe: 0,
    purchases_missing_in_stripe: 0,
  });
}, 120_000);

it('repairs what events missed: an end, and money that went back; and late events are stale', async () => {
  const [canceled, refunded] = [await buy(), await buy('payment')];
  await deliverAll(canceled, refunded);
  expect([await featuresOf(canceled), await featuresOf(refunded)]).toEqual([['pro'], ['export']]);
  expect((await reconcile()).drift).toEqual([]);
  const subscription = await canceled.subscription();
  await world.stripe.subscriptions.cancel(subscription.id);
  const purchase = await world.database.purchase.findFirstOrThrow({
    where: { stripeCustomerId: refunded.customerId },
  });
  await world.stripe.refunds.create({ payment_intent: purchase.id });
  const result = await reconcile();
  expect([await featuresOf(canceled), await featuresOf(refunded)]).toEqual([[], []]);
  const before = await world.database.subscription.findUniqueOrThrow({ where: { id: subscription.id } });
  const drift = new Map(result.drift.map((one) => [one.object_id, one]));
  expect(drift.get(subscription.id)).toMatchObject({
    kind: 'subscription_updated',
    before: { status: 'active' },
    after: { status: 'canceled' },
  });
  expect(drift.get(purchase.id)).toMatchObject({
    before: { amount_refunded: 0 },
    after: { amount_refunded: 4900 },
  });
  await deliverAll(canceled, refunded);
  expect([await featuresOf(canceled), await featuresOf(refunded)]).toEqual([[], []]);
  const after = await world.database.subscription.findUniqueOrThrow({ where: { id: subscription.id } });
  expect(after.status).toBe(before.status);
}, 120_000);

it('reports what Stripe does not have, and never ends it; a project limits what is touched', async () => {
  const id = uniqueId('sub');
  const userId = uniqueId('user');
  await world.deliver(
    stripeEvent({
      type: 'customer.subscription.created',
      object: subscriptionObject({
        id,
        customer: uniqueId('cus'),
        metadata: { user_id: userId, project_id: 'shop' },
        items: [{ priceId: 'price_sub', end: Math.floor((Date.now() + 30 * dayMs) / 1000) }],
      }),
    }),
  );
  await world.database.project.create({ data: { id: 'elsewhere', name: 'Elsewhere' } });
  expect((await reconcile({ projectId: 'elsewhere' })).drift).toEqual([]);
  const { subscriptions_missing_in_stripe: missing, drift } = await reconcile();
  expect(missing).toBe(1);
  expect(drift).toContainEqual({
    kind: 'subscription_missing_in_stripe',
    object_id: id,
    before: { status: 'active' },
    after: null,
  });
  const row = await world.database.subscription.findUniqueOrThrow({ where: { id } });
  expect(row).toMatchObject({ status: 'active', confirmed: false });
  expect(row.missingInStripeAt).not.toBeNull();
  expect((await world.features(Date.now(), userId)).map((one) => one.featureCode)).toEqual(['pro']);
}, 120_000);

it('continues where it was when its worker is gone, while Stripe fails now and then', async () => {
  const journey = await buy();
  await world.stopWorker();
  const { runId } = await order();
  await world.database.run.update({
    where: { id: runId },
    data: {
      startedAt: new Date(),
      progressAt: new Date(),
      lockedBy: 'a worker that died',
      lockedUntil: new Date(Date.now() - 1_000),
      state: { phase: 'payment_intents', after: null, objects: 7, since: 0 },
      result: {
        subscriptions_synced: 7,
        subscriptions_updated: 0,
        subscriptions_missing_in_stripe: 0,
        purchases_synced: 0,
        purchases_updated: 0,
        purchases_missing_in_stripe: 0,
        drift: [],
        drift_truncated: false,
      },
    },
  });
  await world.control('/faults', { mode: '429', times: 3, methods: ['GET'] });
  await world.startWorker();
  const result = await ended(runId);
  expect(result.subscriptions_synced).toBe(7);
  expect(await featuresOf(journey)).toEqual([]);
  await reconcile();
  expect(await featuresOf(journey)).toEqual(['pro']);
}, 120_000);

it('two workers: runs take turns, each is done once, and one that has not begun serves two requests', async () => {
  const destination = new PassThrough().resume();
  const logger = createLogger({ service: 'test', level: 'error', format: 'json', destination });
  await world.stopWorker();
  const [first, joined, dry] = [await order(), await order(), await order({ dryRun: true })];
  expect(joined.runId).toBe(first.runId);
  await world.startWorker();
  const second = await startWorker({ config: world.config, logger, host: '127.0.0.1' });
  await Promise.all([ended(first.runId), ended(dry.runId)]);
  const [one, other] = await Promise.all(
    [first, dry].map(({ runId }) => world.database.run.findUniqueOrThrow({ where: { id: runId } })),
  );
  expect(Number(other?.startedAt)).toBeGreaterThanOrEqual(Number(one?.finishedAt));
  // They go after the run has ended.
  await waitFor(async () => (await world.database.runObject.count()) === 0, { what: 'no objects of runs' });
  await second.stop();
}, 120_000);
