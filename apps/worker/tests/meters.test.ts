import { hourMs, minuteMs, toTimestamp } from '@billing/domain';
import { eraseUsageStates, exportUsage } from '@billing/store';
import { waitFor } from '@billing/testing';
import { startMeters } from './support/meters-world.test-support.ts';
import type { TestMeters } from './support/meters-world.test-support.ts';

let world: TestMeters;
beforeAll(async () => {
  world = await startMeters();
});
afterEach(() => world.control('/faults', { mode: 'none' }));
afterAll(() => world.close());

const passMs = async (ms: number): Promise<void> => {
  world.clock.offsetMs += ms;
  await world.control('/clock', { advance_seconds: Math.ceil(ms / 1000) });
};
/** By then the worker has looked for what it waits for, again. */
const lookAgainMs = 20_000;
const at = (hour: number, minute = 5) => ({ timestamp: hour + minute * minuteMs });

test('an hour is reported after its end, as one event; what comes later as the difference', async () => {
  const { userId, customer } = await world.startUser();
  const hour = world.pastHour(3);
  const first = await world.record(userId, { quantity: 5, ...at(hour) });
  await world.record(userId, { quantity: 7, ...at(hour, 50) });
  expect(await world.waitForCount(customer, 12)).toBe(12);
  await world.record(userId, { quantity: 3, ...at(hour, 59) });
  expect(await world.waitForCount(customer, 15)).toBe(15);
  await world.record(userId, { quantity: -5, corrects: first, ...at(hour) });
  expect(await world.waitForCount(customer, 10)).toBe(10);
  expect(await world.countedAtStripe(customer, hour, hour + hourMs)).toBe(10);
  const reports = await world.reports(userId);
  expect(
    reports.every(({ state, stripeCustomerId }) => state === 'delivered' && stripeCustomerId === customer),
  ).toBe(true);
  expect(reports.map(({ sequence }) => sequence)).toEqual(reports.map((_report, index) => index));
});

test('the present hour is not reported before its end', async () => {
  const { userId, customer } = await world.startUser();
  await world.record(userId, { quantity: 5 });
  const past = world.pastHour(2);
  await world.record(userId, { quantity: 2, ...at(past) });
  expect(await world.waitForCount(customer, 2)).toBe(2);
  expect(await world.reports(userId)).toHaveLength(1);
});

test.each(['cut', 'reset', '429'])('an answer that is lost (%s) doubles nothing', async (mode) => {
  const { userId, customer } = await world.startUser();
  const path = '/v1/billing/meter_events';
  const isLost = mode === 'reset' ? { executed: true } : {};
  await world.control('/faults', { mode, times: 2, path, methods: ['POST'], ...isLost });
  await world.record(userId, { quantity: 9, ...at(world.pastHour(4)) });
  await waitFor(async () => (await world.reports(userId))[0]?.state === 'delivered', {
    what: 'the report',
    timeoutMs: 60_000,
  });
  expect(await world.waitForCount(customer, 9)).toBe(9);
});

test('a report that a dead worker left is told again, and counts once', async () => {
  const { userId, customer } = await world.startUser();
  const hour = world.pastHour(5);
  await world.record(userId, { quantity: 4, ...at(hour) });
  expect(await world.waitForCount(customer, 4)).toBe(4);
  // As it was between sending and noting the answer.
  await world.database.usageMeterReport.updateMany({
    where: { userId },
    data: { state: 'sending', endedAt: null, lookAt: new Date(0) },
  });
  await waitFor(async () => (await world.reports(userId))[0]?.state === 'delivered', { what: 'the report' });
  expect(await world.waitForCount(customer, 4)).toBe(4);
  expect(
    await world.metric(/stripe_meter_reports_total\{[^}]*outcome="duplicate"[^}]*\} (\d+)/),
  ).toBeDefined();
});

test('usage of a user without a Stripe customer is kept, and sent once there is one', async () => {
  const { userId, customer, map } = await world.startUser({ isMapped: false });
  await world.record(userId, { quantity: 6, ...at(world.pastHour(2)) });
  await waitFor(
    async () =>
      (await world.database.usageMeterHour.count({ where: { userId, waitsSince: { not: null } } })) === 1,
    { what: 'an hour that waits' },
  );
  expect(await world.reports(userId)).toHaveLength(0);
  await map();
  await passMs(lookAgainMs);
  expect(await world.waitForCount(customer, 6)).toBe(6);
});

test('what Stripe refuses waits, and is told why', async () => {
  const { userId } = await world.startUser();
  await world.stripe.billing.meters.deactivate(world.meter.id);
  try {
    await world.record(userId, { quantity: 6, ...at(world.pastHour(2)) });
    await waitFor(async () => typeof (await world.reports(userId))[0]?.problem === 'string', {
      what: 'the problem',
    });
    const [report] = await world.reports(userId);
    expect(report).toMatchObject({ state: 'sending', problem: expect.stringContaining('inactive') });
  } finally {
    await world.stripe.billing.meters.reactivate(world.meter.id);
  }
});

test('the overage only, and by the meter of the product, to the customer of its subscription', async () => {
  const { userId, userRef } = await world.startUser();
  const payer = await world.stripe.customers.create({});
  await world.database.product.update({
    where: { projectId_productId: { projectId: 'shop', productId: 'addon' } },
    data: {
      featureCodes: ['extra', 'calls'],
      features: {
        calls: {
          allowance: 10,
          period: 'month',
          anchor: 'source',
          per_unit: false,
          overage: 'allow',
          overage_limit: null,
          stripe_meter: { event_name: 'calls', report: 'overage' },
        },
      },
    },
  });
  const hour = world.pastHour(2);
  const start = new Date(hour - 48 * hourMs);
  const end = new Date(start.getTime() + 30 * 24 * hourMs);
  await world.database.subscription.create({
    data: {
      id: `sub_${userId}`,
      userRef,
      stripeCustomerId: payer.id,
      status: 'active',
      startDate: start,
      items: {
        create: {
          itemId: 'si_1',
          stripePriceId: 'price_addon',
          quantity: 1n,
          currentPeriodStart: start,
          currentPeriodEnd: end,
          firstPeriodStart: start,
        },
      },
    },
  });
  await world.record(userId, { quantity: 25, ...at(hour) });
  expect(await world.waitForCount(payer.id, 15)).toBe(15);
});

test('an hour with the end of a period in it is told in two parts', async () => {
  const user = await world.startUser();
  const { userId, customer } = user;
  const hour = world.pastHour(3);
  const bound = new Date(hour + 23 * minuteMs + 17_000);
  await world.subscribe(user, bound, 'begins');
  await world.record(userId, { quantity: 5, timestamp: bound.getTime() - 1 });
  await world.record(userId, { quantity: 8, timestamp: bound.getTime() });
  expect(await world.waitForCount(customer, 13)).toBe(13);
  const reports = await world.reports(userId);
  const before = reports.filter(({ stampedAt }) => stampedAt < bound);
  const sum = (rows: typeof reports): number => rows.reduce((all, { quantity }) => all + Number(quantity), 0);
  expect([sum(before), sum(reports)]).toEqual([5, 13]);
  expect(toTimestamp(before[0]?.stampedAt.getTime() ?? 0)).toBe(toTimestamp(bound.getTime() - 1_000));
});

test('erasing a user takes what is noted for meters; an export has it', async () => {
  const { userId, customer } = await world.startUser();
  await world.record(userId, { quantity: 5, ...at(world.pastHour(2)) });
  expect(await world.waitForCount(customer, 5)).toBe(5);
  const key = { projectId: 'shop', userId };
  const exported = await world.database.$transaction((tx) => exportUsage(tx, key));
  expect(exported['usage_meter_reports']).toMatchObject([{ quantity: 5, state: 'delivered' }]);
  await world.database.$transaction((tx) => eraseUsageStates(tx, { ...key, erasedAt: new Date() }));
  expect(await world.reports(userId)).toEqual([]);
  expect(await world.database.usageMeterHour.count({ where: { userId } })).toBe(0);
});

test('what was used before the end of a paid period is told before its hour is over', async () => {
  const toNext = hourMs - (world.now() % hourMs);
  await passMs(toNext + 30 * minuteMs);
  const user = await world.startUser();
  const { userId, customer } = user;
  const hour = Math.floor(world.now() / hourMs) * hourMs;
  const bound = new Date(hour + 25 * minuteMs);
  await world.subscribe(user, bound, 'ends');
  await world.record(userId, { quantity: 3, timestamp: hour + 10 * minuteMs });
  await world.record(userId, { quantity: 4, timestamp: hour + 28 * minuteMs });
  await passMs(lookAgainMs);
  expect(await world.waitForCount(customer, 3)).toBe(3);
  await passMs(31 * minuteMs);
  expect(await world.waitForCount(customer, 7)).toBe(7);
});
