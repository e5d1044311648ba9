import { isHandledEventType } from '@billing/domain';
import { readProjectMetrics, requestReconcile } from '@billing/store';
import { waitFor } from '@billing/testing';
import { startRenderingFront } from './support/rendering-front.test-support.ts';
import { startTestWorker } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';
import { startJourney } from './support/stripe-journey.test-support.ts';
import type { Journey } from './support/stripe-journey.test-support.ts';

let front: Awaited<ReturnType<typeof startRenderingFront>>;
let world: TestWorker;

beforeAll(async () => {
  front = await startRenderingFront();
  world = await startTestWorker({ env: { STRIPE_API_BASE: front.url } });
  front.leadTo(world.stripeUrl);
});
afterEach(() => front.render((object) => object));
afterAll(async () => {
  await world.close();
  await front.stop();
});

async function subscribe(): Promise<Journey & { id: string }> {
  const journey = await startJourney(world, 'subscription');
  await journey.map();
  await journey.pay();
  return { ...journey, id: (await journey.subscription()).id };
}

const handled = async (journey: Journey) =>
  (await journey.history()).filter((event) => isHandledEventType(event.type));

const row = (id: string) =>
  world.database.subscription.findUniqueOrThrow({ where: { id }, include: { items: true } });

const paid = {
  unitAmount: '4900',
  currency: 'usd',
  interval: 'month',
  intervalCount: 1,
  usageType: 'licensed',
  billedQuantity: null,
};

async function reconcile() {
  const actor = { name: 'tester', requestId: null };
  const { runId } = await requestReconcile(world.database, { dryRun: false, projectId: null }, actor);
  return waitFor(
    async () => {
      const run = await world.database.run.findUniqueOrThrow({ where: { id: runId } });
      return run.status === 'running' ? null : run;
    },
    { what: 'the run', timeoutMs: 40_000 },
  );
}

test('an event brings what its items cost, and how a pause treats invoices', async () => {
  const journey = await subscribe();
  await world.stripe.subscriptions.update(journey.id, { pause_collection: { behavior: 'void' } });
  await world.deliver(...(await handled(journey)));
  expect(await row(journey.id)).toMatchObject({
    pauseBehavior: 'void',
    collectionPaused: true,
    items: [paid],
  });
}, 60_000);

test('rows of an older version get their prices by reconcile, which is no drift', async () => {
  const journey = await subscribe();
  await world.deliver(...(await handled(journey)));
  await world.database.subscriptionItem.updateMany({
    where: { subscriptionId: journey.id },
    data: { unitAmount: null, currency: null, interval: null, intervalCount: null, usageType: null },
  });
  const run = await reconcile();
  expect(JSON.stringify(run.result)).not.toContain(journey.id);
  expect(await row(journey.id)).toMatchObject({ items: [paid] });
}, 60_000);

const half = {
  id: 'half',
  object: 'coupon',
  percent_off: 50,
  amount_off: null,
  currency: null,
  duration: 'forever',
};

/** Stripe's rendering of a subscription with a discount: an id, unless it is expanded. */
const withDiscount =
  (id: string): Parameters<typeof front.render>[0] =>
  (object, { path, expanded }) => {
    const isExpanded = expanded.some((one) => one.endsWith('discounts.source.coupon'));
    const discount = { id: 'di_1', object: 'discount', end: null, source: { type: 'coupon', coupon: half } };
    const render = (one: Record<string, unknown>) =>
      one['id'] === id ? { ...one, discounts: [isExpanded ? discount : 'di_1'] } : one;
    if (path === `/v1/subscriptions/${id}`) return render(object);
    return path === '/v1/subscriptions' && Array.isArray(object['data'])
      ? { ...object, data: object['data'].map(render) }
      : object;
  };

/** The events with the discount as Stripe puts it into events. */
const withNamedDiscount = (events: Awaited<ReturnType<typeof handled>>) =>
  events.map(({ data: { object }, ...event }) => ({
    ...event,
    data: { object: 'items' in object ? { ...object, discounts: ['di_1'] } : object },
  }));

test('a coupon that an event only names is looked up once, after the event, and reduces the revenue', async () => {
  const journey = await subscribe();
  front.render(withDiscount(journey.id));
  await world.deliver(...withNamedDiscount(await handled(journey)));
  await waitFor(async () => (await row(journey.id)).recheckAt === null, {
    what: 'the lookup',
    timeoutMs: 20_000,
  });
  const { discounts, confirmed } = await row(journey.id);
  expect(confirmed).toBe(true);
  expect(discounts).toEqual([
    {
      discountId: 'di_1',
      itemId: null,
      end: null,
      coupon: { percentOff: '50', amountOff: null, currency: null, duration: 'forever' },
    },
  ]);
  const metrics = { projectId: 'shop', now: Date.now(), pastDueGraceDays: 7 };
  const { mrr } = await readProjectMetrics(world.database, metrics);
  const others = (await world.database.subscription.count({ where: { collectionPaused: false } })) - 1;
  expect(mrr).toEqual([{ currency: 'usd', amount: others * 4900 + 2450 }]);

  await world.stripe.subscriptions.update(journey.id, { metadata: { seen: 'again' } });
  front.reads.length = 0;
  const named = withNamedDiscount(await handled(journey));
  await world.deliver(...named.slice(-1));
  expect(await row(journey.id)).toMatchObject({ discounts, recheckAt: null });
  expect(front.reads).not.toContain(`/v1/subscriptions/${journey.id}`);
}, 60_000);

test('reconcile reads coupons with the list', async () => {
  const journey = await subscribe();
  await world.deliver(...(await handled(journey)));
  front.render(withDiscount(journey.id));
  const run = await reconcile();
  expect(JSON.stringify(run.result)).toContain(journey.id);
  expect(await row(journey.id)).toMatchObject({ discounts: [{ coupon: { percentOff: '50' } }] });
  expect(JSON.stringify((await reconcile()).result)).not.toContain(journey.id);
}, 60_000);
