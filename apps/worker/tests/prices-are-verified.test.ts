import { reconcileResult } from '@billing/domain';
import { requestReconcile } from '@billing/store';
import { waitFor } from '@billing/testing';
import { startTestWorker, uniqueId } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';

let world: TestWorker;

beforeAll(async () => {
  world = await startTestWorker();
});
afterEach(() => world.control('/faults', { mode: 'none' }));
afterAll(() => world.close());

const makeAtStripe = (parts: object = {}) =>
  world.stripe.prices.create({
    currency: 'usd',
    unit_amount: 3000,
    product_data: { name: 'Test' },
    recurring: { interval: 'month', interval_count: 3 },
    ...parts,
  });

/** A price as the API stores it while Stripe is away; Stripe is asked for it at once. */
async function map(stripePriceId: string, parts: object = {}) {
  const terms = { amount: 3000n, currency: 'usd', interval: 'month', intervalCount: 3 };
  const key = { projectId: 'shop', priceId: stripePriceId };
  await world.database.price.create({
    data: { ...key, productId: 'sub', stripePriceId, ...terms, ...parts },
  });
  return {
    read: () => world.database.price.findUniqueOrThrow({ where: { projectId_priceId: key } }),
    change: (data: object) => world.database.price.update({ where: { projectId_priceId: key }, data }),
  };
}

async function reconcile(dryRun = false) {
  const actor = { name: 'tester', requestId: null };
  const { runId } = await requestReconcile(world.database, { dryRun, projectId: null }, actor);
  const run = await waitFor(
    async () => {
      const found = await world.database.run.findUniqueOrThrow({ where: { id: runId } });
      return found.status === 'running' ? null : found;
    },
    { what: 'the run', timeoutMs: 40_000 },
  );
  return reconcileResult.parse(run.result);
}

test('a price that was taken while Stripe was away is verified once Stripe is back', async () => {
  const { id } = await makeAtStripe();
  await world.control('/faults', { mode: '500', path: '/v1/prices' });
  const price = await map(id);
  await waitFor(async () => (await price.read()).verifyAttempts > 0, {
    what: 'a first attempt',
    timeoutMs: 20_000,
  });
  expect(await price.read()).toMatchObject({ verifiedAt: null, verifyProblem: null, usageType: null });
  const again = Number((await price.read()).verifyAt) - Date.now();
  expect(again).toBeLessThanOrEqual(30_000);
  await world.control('/faults', { mode: 'none' });
  await price.change({ verifyAt: new Date() });
  const isVerified = async (): Promise<boolean> => {
    const { verifiedAt, verifyAt } = await price.read();
    return verifiedAt !== null && verifyAt === null;
  };
  await waitFor(isVerified, { what: 'the verification' });
  expect(await price.read()).toMatchObject({ verifyAttempts: 0, usageType: 'licensed' });
}, 60_000);

test('a price that differs, or that Stripe does not have, stays as it is and is asked for less and less often', async () => {
  const differing = await map((await makeAtStripe()).id, { intervalCount: 1 });
  const missing = await map(uniqueId('price'));
  for (const [price, verifyProblem] of [
    [differing, 'differs'],
    [missing, 'missing'],
  ] as const) {
    await waitFor(async () => (await price.read()).verifyProblem !== null, {
      what: verifyProblem,
      timeoutMs: 20_000,
    });
    const first = await price.read();
    expect(first).toMatchObject({ verifyProblem, verifiedAt: null, amount: 3000n });
    const pauseMs = Number(first.verifyAt) - Date.now();
    expect(pauseMs).toBeGreaterThan(60_000);
    await price.change({ verifyAt: new Date(), verifyAttempts: 5 });
    await waitFor(async () => Number((await price.read()).verifyAt) > Date.now() + 5 * pauseMs, {
      what: 'a longer pause',
      timeoutMs: 20_000,
    });
    await price.change({ verifyAt: null });
  }
  const metrics = await (await fetch(`http://127.0.0.1:${world.worker().port}/metrics`)).text();
  expect(metrics).toMatch(/catalog_prices_unverified\{[^}]*reason="missing"[^}]*\} \d/);
}, 60_000);

test('reconcile lists prices that differ or that Stripe does not have, and verifies the others', async () => {
  const later = new Date(Date.now() + 3_600_000);
  const same = await map((await makeAtStripe()).id, { verifyAt: later });
  const { id } = await makeAtStripe();
  const differing = await map(id, {
    amount: 1000n,
    intervalCount: 1,
    verifyAt: later,
    verifiedAt: new Date(),
  });
  const unknown = uniqueId('price');
  await map(unknown, { verifyAt: later });
  const dry = await reconcile(true);
  expect(await same.read()).toMatchObject({ verifiedAt: null });
  const result = await reconcile();
  expect(result.drift).toEqual(dry.drift);
  expect(result.drift).toContainEqual({
    kind: 'price_differs',
    object_id: id,
    before: { amount: 1000, interval_count: 1 },
    after: { amount: 3000, interval_count: 3 },
  });
  expect(result.drift).toContainEqual({
    kind: 'price_missing_in_stripe',
    object_id: unknown,
    before: { amount: 3000, currency: 'usd', interval: 'month' },
    after: null,
  });
  expect(result.prices_synced).toBeGreaterThanOrEqual(3);
  expect(result.prices_differing).toBeGreaterThanOrEqual(1);
  expect(result.prices_missing_in_stripe).toBeGreaterThanOrEqual(1);
  expect((await same.read()).verifiedAt).not.toBeNull();
  expect(await differing.read()).toMatchObject({ amount: 1000n, verifiedAt: null, verifyProblem: 'differs' });
}, 90_000);
