import { dayMs, isHandledEventType, reconcileResult } from '@billing/domain';
import { listQuarantine, mapCustomer, requestReconcile } from '@billing/store';
import { waitFor } from '@billing/testing';
import type { Stripe } from 'stripe';
import { startTestWorker, uniqueId } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';
import { startJourney } from './support/stripe-journey.test-support.ts';

let world: TestWorker;

beforeAll(async () => {
  world = await startTestWorker();
});
afterEach(() => {
  world.clock.offsetMs = 0;
});
afterAll(() => world.close());

const actor = { name: 'tester', requestId: null };

async function reconcile(scope: { since?: number; projectId?: string; dryRun?: boolean } = {}) {
  const request = { dryRun: scope.dryRun ?? false, projectId: scope.projectId ?? null, since: scope.since };
  const { runId } = await requestReconcile(world.database, request, actor);
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

const idOf = (value: string | { id: string } | null): string =>
  typeof value === 'string' ? value : (value?.id ?? '');

/** A buyer of a Payment Link: Stripe makes the customer, and only the session knows the user, if the link was made so. */
async function buyByLink(reference: string | null, more: Stripe.Checkout.SessionCreateParams = {}) {
  const price = await world.stripe.prices.create({
    currency: 'usd',
    unit_amount: 4900,
    product_data: { name: 'Link' },
    recurring: { interval: 'month' },
  });
  await world.database.price.create({
    data: {
      projectId: 'shop',
      priceId: `our_${price.id}`,
      productId: 'sub',
      stripePriceId: price.id,
      amount: 4900n,
      currency: 'usd',
      interval: 'month',
    },
  });
  const session = await world.stripe.checkout.sessions.create({
    mode: 'subscription',
    success_url: 'https://app.example.com/done',
    line_items: [{ price: price.id, quantity: 1 }],
    ...(reference === null ? {} : { client_reference_id: reference }),
    ...more,
  });
  await world.control(`/checkout/sessions/${session.id}/pay`, {});
  const { subscription, customer } = await world.stripe.checkout.sessions.retrieve(session.id);
  return { subscriptionId: idOf(subscription), customerId: idOf(customer), priceId: price.id };
}

const featuresOf = async (userId: string): Promise<string[]> =>
  (await world.features(Date.now(), userId)).map((one) => one.featureCode);

type Bought = { subscriptionId: string };

/** What quarantine shows of some objects. */
async function quarantined(bought: readonly Bought[], reason?: string) {
  const query = { limit: 200, ...(reason === undefined ? {} : { reason }) };
  const { rows } = await listQuarantine(world.database, query);
  const ids = bought.map((one) => one.subscriptionId);
  return rows.filter(({ objectId }) => ids.includes(objectId ?? ''));
}

it('a fresh installation: a subscription known only by client_reference_id is its user’s after one reconcile', async () => {
  const [ann, bob] = [uniqueId('ann'), uniqueId('bob')];
  const hinted = await buyByLink(ann);
  const named = await buyByLink(null, { metadata: { user_id: bob } });
  const result = await reconcile();
  expect([await featuresOf(ann), await featuresOf(bob)]).toEqual([['pro'], ['pro']]);
  expect(await quarantined([hinted, named])).toEqual([]);
  expect(result.drift).toContainEqual(
    expect.objectContaining({
      kind: 'subscription_updated',
      object_id: hinted.subscriptionId,
      after: expect.objectContaining({ user_id: ann }),
    }),
  );
  const sources = await world.database.subscription.findMany({
    select: { id: true, claimedUserSource: true },
  });
  expect(new Map(sources.map((one) => [one.id, one.claimedUserSource]))).toEqual(
    new Map([
      [hinted.subscriptionId, 'buyer_hint'],
      [named.subscriptionId, 'metadata'],
    ]),
  );
  expect((await reconcile()).drift).toEqual([]);
}, 60_000);

it('a session older than what is listed by time names the owner all the same', async () => {
  const ann = uniqueId('ann');
  await buyByLink(ann);
  // Nothing that is listed by time is that young.
  const result = await reconcile({ since: Date.now() + 60_000 });
  expect(result.looked_back_to).not.toBeNull();
  expect(await featuresOf(ann)).toEqual(['pro']);
}, 60_000);

it('the row is the same as after the session’s event, whichever comes first', async () => {
  const [first, second] = [uniqueId('first'), uniqueId('second')];
  const [heardFirst, listedFirst] = [await buyByLink(first), await buyByLink(second)];
  const historyOf = async ({ subscriptionId }: { subscriptionId: string }): Promise<Stripe.Event[]> => {
    const all = await world.stripe.events.list({ limit: 100 }).autoPagingToArray({ limit: 1_000 });
    return all
      .filter((event) => isHandledEventType(event.type))
      .filter((event) => JSON.stringify(event.data.object).includes(subscriptionId))
      .reverse();
  };
  await world.deliver(...(await historyOf(heardFirst)));
  await reconcile();
  await world.deliver(...(await historyOf(listedFirst)));
  const rows = await world.database.subscription.findMany({
    where: { id: { in: [heardFirst.subscriptionId, listedFirst.subscriptionId] } },
    select: { claimedUserId: true, claimedUserSource: true, claimedProjectId: true, claimsAt: true },
  });
  const claims = { claimedProjectId: null, claimsAt: null, claimedUserSource: 'buyer_hint' };
  expect(rows.sort((a, b) => ((a.claimedUserId ?? '') < (b.claimedUserId ?? '') ? -1 : 1))).toEqual(
    [first, second].map((claimedUserId) => ({ ...claims, claimedUserId })),
  );
  expect(await quarantined([heardFirst, listedFirst])).toEqual([]);
}, 60_000);

it('quarantine shows a subscription that nothing names an owner of, and a mapping releases it', async () => {
  const bought = await buyByLink(null);
  const { subscriptionId, customerId } = bought;
  await reconcile();
  expect(await quarantined([bought])).toMatchObject([
    { eventId: null, objectId: subscriptionId, customerId, reason: 'unknown_customer', awaits: customerId },
  ]);
  expect(await quarantined([bought], 'unknown_price')).toEqual([]);
  const eve = uniqueId('eve');
  const mapped = await mapCustomer(world.database, {
    projectId: 'shop',
    request: { user_id: eve, stripe_customer_id: customerId },
    actor,
  });
  expect(mapped.result.released).toMatchObject({ subscriptions: 1, events: 0 });
  expect(await quarantined([bought])).toEqual([]);
  expect(await featuresOf(eve)).toEqual(['pro']);
}, 60_000);

it('quarantine shows an object once, by its event where one waits; unknown prices and payments too; page by page', async () => {
  const heard = await buyByLink(null);
  const all = await world.stripe.events.list({ limit: 100 }).autoPagingToArray({ limit: 1_000 });
  const created = all.find((event) => event.type === 'customer.subscription.created');
  if (created === undefined) throw new Error('no event');
  await world.deliver(created);
  const listed = await buyByLink(null);
  const unsold = await buyByLink(uniqueId('ann'), { metadata: { project_id: 'shop' } });
  await world.database.price.delete({ where: { stripePriceId: unsold.priceId } });
  const payment = await startJourney(world, 'payment');
  await payment.pay();
  await reconcile();
  const { id: subscriptionId } = await world.database.purchase.findFirstOrThrow({
    where: { stripeCustomerId: payment.customerId },
  });
  const objects = [heard, listed, unsold, { subscriptionId }];
  const rows = await quarantined(objects);
  expect(new Map(rows.map((row) => [row.objectId, row.reason]))).toEqual(
    new Map([
      [heard.subscriptionId, 'unknown_customer'],
      [listed.subscriptionId, 'unknown_customer'],
      [unsold.subscriptionId, 'unknown_price'],
      [subscriptionId, 'unknown_customer'],
    ]),
  );
  expect(rows.filter((row) => row.eventId !== null).map((row) => row.objectId)).toEqual([
    heard.subscriptionId,
  ]);
  const paged = [];
  for (let cursor: string | undefined; ;) {
    const page = await listQuarantine(world.database, {
      limit: 1,
      ...(cursor === undefined ? {} : { cursor }),
    });
    paged.push(...page.rows);
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  expect(paged.filter((row) => rows.some(({ objectId }) => objectId === row.objectId))).toEqual(rows);
}, 60_000);

it('a project limits whose sessions count', async () => {
  const ann = uniqueId('ann');
  await buyByLink(ann);
  await world.database.project.create({ data: { id: 'elsewhere', name: 'Elsewhere' } });
  await reconcile({ projectId: 'elsewhere' });
  expect(await featuresOf(ann)).toEqual([]);
  const dry = await reconcile({ projectId: 'shop', dryRun: true });
  expect(await featuresOf(ann)).toEqual([]);
  expect(dry.looked_back_to).not.toBeNull();
}, 60_000);

it('since: payments from then on are compared, and the result says how far back it looked', async () => {
  const journey = await startJourney(world, 'payment');
  await journey.map();
  await journey.pay();
  const future = Date.now() + 3_600_000;
  world.clock.offsetMs = 2 * 3_600_000;
  const none = await reconcile({ since: future });
  expect(none.looked_back_to).toBe(new Date(Math.floor(future / 1000) * 1000).toISOString());
  expect(await featuresOf(journey.userId)).toEqual([]);
  const past = Date.now() - 3_600_000;
  const found = await reconcile({ since: past });
  expect(found.looked_back_to).toBe(new Date(Math.floor(past / 1000) * 1000).toISOString());
  expect(await featuresOf(journey.userId)).toEqual(['export']);
  const usual = await reconcile();
  const lookedBackMs = Date.now() - Date.parse(usual.looked_back_to ?? '');
  expect(Math.abs(lookedBackMs - 30 * dayMs)).toBeLessThan(60_000);
}, 60_000);
