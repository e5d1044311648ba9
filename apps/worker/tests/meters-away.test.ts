import { dayMs, hourMs, minuteMs } from '@billing/domain';
import { waitFor } from '@billing/testing';
import { startMeters } from './support/meters-world.test-support.ts';
import type { TestMeters } from './support/meters-world.test-support.ts';

let world: TestMeters;
beforeEach(async () => {
  world = await startMeters();
});
afterEach(() => world.close());

const events = '/v1/billing/meter_events';
const passMs = async (ms: number): Promise<void> => {
  world.clock.offsetMs += ms;
  await world.control('/clock', { advance_seconds: ms / 1000 });
};

test('meters that are away for 30 hours: nothing is lost or doubled, what was taken without an answer neither', async () => {
  const [lost, never, quiet] = await Promise.all([world.startUser(), world.startUser(), world.startUser()]);
  const hour = world.pastHour(2);
  // Stripe takes the first report of this user, and its answer is lost.
  await world.control('/faults', { mode: 'reset', executed: true, path: events, methods: ['POST'] });
  await world.record(lost.userId, { quantity: 5, timestamp: hour });
  await waitFor(async () => ((await world.reports(lost.userId))[0]?.attempts ?? 0) > 0, {
    what: 'a lost answer',
  });
  expect(await world.countedAtStripe(lost.customer, hour, hour + hourMs)).toBe(5);
  await world.control('/faults', { mode: '500', path: events, methods: ['POST'] });
  await world.record(never.userId, { quantity: 7, timestamp: hour });
  await waitFor(async () => (await world.reports(never.userId)).length === 1, {
    what: 'a report in doubt',
    timeoutMs: 20_000,
  });
  expect(await world.reports(lost.userId)).toMatchObject([{ state: 'sending' }]);
  for (let passed = 0; passed < 30; passed += 6) {
    await passMs(6 * hourMs);
    await world.record(quiet.userId, { quantity: 1, timestamp: world.pastHour(2) });
    await world.record(never.userId, { quantity: 1, timestamp: world.pastHour(2) });
  }
  await waitFor(
    async () => Number(await world.metric(/^stripe_meter_report_lag_seconds\S* (\S+)$/m)) > 29 * 3_600,
    {
      what: 'a lag',
    },
  );
  await world.control('/faults', { mode: 'none' });
  await passMs(2 * minuteMs);
  expect(await world.waitForCount(quiet.customer, 5, 30_000)).toBe(5);
  expect(await world.waitForCount(never.customer, 12, 30_000)).toBe(12);
  expect(await world.waitForCount(lost.customer, 5)).toBe(5);
  await waitFor(async () => (await world.reports(lost.userId))[0]?.state === 'delivered', {
    what: 'the report',
  });
  expect(await world.metric(/stripe_meter_reports_total\{[^}]*outcome="found"[^}]*\} (\d+)/)).toBe('1');
}, 120_000);

test('usage that was older than 35 days before it could be sent is listed as too late', async () => {
  const { userId, customer, map } = await world.startUser({ isMapped: false });
  await world.record(userId, { quantity: 6, timestamp: world.pastHour(2) });
  await waitFor(
    async () => (await world.database.usageMeterHour.count({ where: { waitsSince: { not: null } } })) === 1,
    { what: 'an hour that waits' },
  );
  await passMs(36 * dayMs);
  await map();
  await waitFor(async () => (await world.reports(userId))[0]?.state === 'too_late', {
    what: 'the report',
    timeoutMs: 30_000,
  });
  await world.record(userId, { quantity: 2, timestamp: world.pastHour(2) });
  expect(await world.waitForCount(customer, 2)).toBe(2);
}, 60_000);
