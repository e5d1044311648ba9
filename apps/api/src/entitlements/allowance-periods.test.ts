import { dayMs, hourMs } from '@billing/domain';
import { changeUser, publishInvalidations } from '@billing/store';
import { waitFor } from '@billing/testing';
import { uniqueId } from '../testing/start-commerce.test-support.ts';
import { calls, entryOf, iso, second, startUsageWorld } from '../testing/usage-world.test-support.ts';
import type { UsageWorld } from '../testing/usage-world.test-support.ts';

let world: UsageWorld;
beforeAll(async () => {
  world = await startUsageWorld();
});
afterAll(() => world.close());

describe('periods end by the clock', () => {
  test('valid_until counts the end of a day, and the next one needs nothing', async () => {
    const project = await world.startProject();
    const { stripePriceId } = await world.sell(project, { features: [calls({ period: 'day' })] });
    const startDate = second(world.now() - 3 * dayMs - hourMs);
    const userId = await world.subscribe(project, [{ stripePriceId }], {
      start: startDate,
      end: second(world.now() + 20 * dayMs),
      startDate,
    });
    const [today, tomorrow] = [3, 4].map((days) => iso(startDate.getTime() + days * dayMs));
    const first = await world.check(project, userId);
    expect(entryOf(first, 'calls')).toMatchObject({ period_start: today, period_end: tomorrow });
    expect(first.valid_until).toBe(tomorrow);
    // The answer goes out before the cache has it.
    await waitFor(async () => (await world.check(project, userId)).cache === 'hit', { what: 'a hit' });
    world.commerce.clock.advance(dayMs);
    try {
      const next = await world.check(project, userId);
      expect([next.cache, entryOf(next, 'calls')]).toMatchObject(['miss', { period_start: tomorrow }]);
    } finally {
      world.commerce.clock.advance(-dayMs);
    }
  });

  test('months of a source count from start_date, whatever the billing cycle does', async () => {
    const project = await world.startProject();
    const { stripePriceId } = await world.sell(project, { features: [calls({ period: 'month' })] });
    const startDate = second(world.now() - 40 * dayMs);
    const userId = await world.subscribe(project, [{ stripePriceId }], {
      start: second(world.now() - dayMs),
      end: second(world.now() + 29 * dayMs),
      startDate,
    });
    const entry = entryOf(await world.check(project, userId), 'calls');
    expect(iso(new Date(String(entry?.['period_start']))).slice(10)).toBe(iso(startDate).slice(10));
    expect(new Date(String(entry?.['period_start'])).getTime()).toBeLessThan(world.now() - dayMs);
  });

  test('by the calendar of the policy’s zone', async () => {
    const project = await world.startProject();
    const { stripePriceId } = await world.sell(project, {
      features: [calls({ period: 'year', anchor: 'calendar' })],
    });
    const userId = await world.subscribe(project, [{ stripePriceId }], {
      start: second(world.now() - dayMs),
      end: second(world.now() + 20 * dayMs),
    });
    const year = new Date(world.now()).getUTCFullYear();
    expect(entryOf(await world.check(project, userId), 'calls')).toMatchObject({
      period_start: `${year}-01-01T00:00:00.000Z`,
      period_end: `${year + 1}-01-01T00:00:00.000Z`,
    });
    const setZone = (zone: string | null) =>
      world.commerce.admin('patch', `/projects/${project.projectId}`, { policy: { usage_timezone: zone } });
    await setZone('Asia/Kolkata').expect(200);
    for (const by of [world.commerce, world.other])
      expect(entryOf(await world.check(project, userId, by), 'calls')).toMatchObject({
        period_start: `${year - 1}-12-31T18:30:00.000Z`,
        period_end: `${year}-12-31T18:30:00.000Z`,
      });
    expect((await setZone('Mars/Olympus').expect(400)).body.errors).toMatchObject([
      { path: 'policy.usage_timezone' },
    ]);
    await setZone(null).expect(200);
    expect(entryOf(await world.check(project, userId), 'calls')).toMatchObject({
      period_start: `${year}-01-01T00:00:00.000Z`,
    });
  });

  test('a month in which the zone’s clocks change is as long as it is there', async () => {
    const project = await world.startProject();
    const { stripePriceId } = await world.sell(project, {
      features: [calls({ period: 'month', anchor: 'calendar' })],
    });
    const year = new Date(world.now()).getUTCFullYear() + 1;
    await world.commerce
      .admin('patch', `/projects/${project.projectId}`, { policy: { usage_timezone: 'Europe/Berlin' } })
      .expect(200);
    const userId = await world.subscribe(project, [{ stripePriceId }], {
      start: second(world.now()),
      end: new Date(Date.UTC(year, 11)),
    });
    const ahead = Date.UTC(year, 2, 15) - world.now();
    world.commerce.clock.advance(ahead);
    try {
      const answer = await world.check(project, userId);
      expect(entryOf(answer, 'calls')).toMatchObject({
        period_start: `${year}-02-28T23:00:00.000Z`,
        period_end: `${year}-03-31T22:00:00.000Z`,
      });
      expect(answer.valid_until).toBe(`${year}-03-31T22:00:00.000Z`);
    } finally {
      world.commerce.clock.advance(-ahead);
    }
  });

  test('a renewal that was not heard yet begins the next period', async () => {
    const project = await world.startProject();
    const { stripePriceId } = await world.sell(project, { features: [calls()] });
    const end = second(world.now() - hourMs);
    const userId = await world.subscribe(project, [{ stripePriceId }], {
      start: new Date(end.getTime() - 30 * dayMs),
      end,
    });
    expect(entryOf(await world.check(project, userId), 'calls')).toMatchObject({ period_start: iso(end) });
  });
});

describe('packs', () => {
  test('add up: all count from payment to the end of their chain, and a refund takes its days out', async () => {
    const project = await world.startProject();
    const item = await world.sell(project, {
      features: [calls({ allowance: 500, period: 'once' })],
      interval: 'one_time',
      accessDays: 30,
    });
    const userId = uniqueId('user');
    const [first, second_] = [world.ago(10 * dayMs), world.ago(dayMs)];
    await world.buy(project, userId, { paidAt: first, item });
    const id = await world.buy(project, userId, { paidAt: second_, item: { ...item, quantity: 2 } });
    const chainEnd = iso(first.getTime() + 90 * dayMs);
    const buckets = async () =>
      (await world.check(project, userId, world.commerce, { explain: 'true' })).explanation.map(
        ({ valid_to, reason, usage }) => [reason, valid_to, usage],
      );
    const bucket = (paidAt: Date, end: string) => ({
      period: 'once',
      period_start: iso(paidAt),
      period_end: end,
      ends_at: end,
      overage_limit: 0,
      rollover_periods: 0,
    });
    const pack = { feature_code: 'calls', kind: 'metered', why: 'allowance' };
    expect(new Set(await buckets())).toEqual(
      new Set([
        ['in_force', chainEnd, [{ ...pack, gives: 500, bucket: bucket(first, chainEnd) }]],
        ['in_force', chainEnd, [{ ...pack, gives: 1_000, bucket: bucket(second_, chainEnd) }]],
      ]),
    );
    const answer = await world.check(project, userId);
    expect(entryOf(answer, 'plain')).toMatchObject({ valid_to: chainEnd });
    expect(answer.valid_until).toBe(chainEnd);

    const { pending } = await changeUser(world.commerce.deps.database, { ...project, userId }, async (tx) => {
      await tx.purchase.update({ where: { id }, data: { amountRefunded: 1000n } });
      return { result: undefined, changed: true };
    });
    await publishInvalidations(world.commerce.deps, pending);
    const aloneEnd = iso(first.getTime() + 30 * dayMs);
    expect(await buckets()).toEqual(
      expect.arrayContaining([
        ['in_force', aloneEnd, [{ ...pack, gives: 500, bucket: bucket(first, aloneEnd) }]],
        [
          'refunded',
          expect.any(String),
          [{ feature_code: 'calls', kind: 'metered', gives: 0, why: 'not_in_force', bucket: null }],
        ],
      ]),
    );
  });
});
