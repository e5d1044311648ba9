import { periodStart, stripeEvent, subscriptionObject } from '@billing/testing';
import { readSources, requestReconcile } from '@billing/store';
import { waitFor } from '@billing/testing';
import { startTestWorker } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';
import { startJourney } from './support/stripe-journey.test-support.ts';

let world: TestWorker;
beforeAll(async () => {
  world = await startTestWorker();
});
afterAll(() => world.close());

const day = 86_400;

/** When the subscription and its item began, in days after `periodStart`, as entitlements are derived from it. */
async function starts(userId: string, id: string): Promise<(number | null)[]> {
  const { sources } = (await readSources(world.database, 'shop', [userId])).get(userId) ?? {};
  const one = sources?.subscriptions.find((each) => each.id === id);
  const days = (at: number | null | undefined) =>
    at === null || at === undefined ? null : (at / 1_000 - periodStart) / day;
  return [days(one?.startDate), ...(one?.items ?? []).map((item) => days(item.firstPeriodStart))];
}

/** A period of 30 days that begins so many days later, and its event. */
const heard = (id: string, days: number, startDate: number | undefined = periodStart - day) => {
  const start = periodStart + days * day;
  const { start_date: _rendered, ...object } = subscriptionObject({
    id,
    metadata: { user_id: id, project_id: 'shop' },
    customer: `cus_${id}`,
    latestInvoice: null,
    items: [{ priceId: 'price_sub', start, end: start + 30 * day }],
  });
  return stripeEvent({
    type: 'customer.subscription.updated',
    created: start,
    object: startDate === undefined ? object : { ...object, start_date: startDate },
  });
};

test.each<[string, number[]]>([
  ['in order', [0, 30, 60]],
  ['in reverse', [60, 30, 0]],
  ['the earliest late', [30, 60, 0]],
])('start_date and the earliest period are heard %s', async (_what, periods) => {
  const id = `sub_${periods.join('_')}`;
  await world.deliver(...periods.map((days) => heard(id, days)));
  expect(await starts(id, id)).toEqual([-1, 0]);
  const stored = await world.database.subscriptionItem.findFirstOrThrow({ where: { subscriptionId: id } });
  expect(stored.currentPeriodStart).toEqual(new Date((periodStart + 60 * day) * 1_000));
});

test('what an older version stored gets them with the next event', async () => {
  const id = 'sub_of_old';
  await world.deliver(heard(id, 0));
  await world.database.subscription.update({ where: { id }, data: { startDate: null } });
  await world.database.subscriptionItem.updateMany({
    where: { subscriptionId: id },
    data: { firstPeriodStart: null },
  });
  expect(await starts(id, id)).toEqual([null, null]);
  const before = await world.versionOf(id);
  await world.deliver(heard(id, 30));
  expect(await starts(id, id)).toEqual([-1, 0]);
  expect(Number(await world.versionOf(id))).toBeGreaterThan(Number(before));
});

test('an event that an older version projected, without start_date, takes it away from nobody', async () => {
  const id = 'sub_projected';
  await world.deliver(heard(id, 0), heard(id, 30, undefined));
  expect(await starts(id, id)).toEqual([-1, 0]);
});

test('a read of Stripe brings them too', async () => {
  const journey = await startJourney(world, 'subscription');
  await journey.map();
  await journey.pay();
  const scope = { dryRun: false, projectId: null };
  const { runId } = await requestReconcile(world.database, scope, { name: 'tester', requestId: null });
  await waitFor(
    async () => (await world.database.run.findUniqueOrThrow({ where: { id: runId } })).status === 'done',
    { what: 'the run', timeoutMs: 40_000 },
  );
  const { id, start_date: startDate } = await journey.subscription();
  const at = (startDate - periodStart) / day;
  expect(await starts(journey.userId, id)).toEqual([at, at]);
});
