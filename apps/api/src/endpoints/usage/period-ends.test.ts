import { dayMs, hourMs } from '@billing/domain';
import { calls, iso, second, startUsageWorld } from '../../testing/usage-world.test-support.ts';
import type { UsageWorld } from '../../testing/usage-world.test-support.ts';
import { event } from './usage-api.test-support.ts';

let world: UsageWorld;
beforeAll(async () => {
  world = await startUsageWorld();
});
afterAll(() => world.close());

const allowance = 5;

type Process = UsageWorld['commerce'];

/** Calls of one project at either process. */
function createCalls(apiKey: string, userId: string) {
  const authorization = `Bearer ${apiKey}`;
  const query = { user_id: userId, feature_code: 'calls' };
  return {
    take: (by: Process) =>
      by.http().post('/api/v1/usage').set('authorization', authorization).send(event(userId)).expect(200),
    check: async (by: Process) =>
      (await by.http().get('/api/v1/check').query(query).set('authorization', authorization)).body,
    partsByStart: async (): Promise<Record<string, number>> => {
      const { body } = await world.commerce
        .http()
        .get('/api/v1/usage/events')
        .query(query)
        .set('authorization', authorization);
      const sums: Record<string, number> = {};
      for (const { parts } of body.data)
        for (const { period_start: start, quantity } of parts) sums[start] = (sums[start] ?? 0) + quantity;
      return sums;
    },
  };
}

test.each(['day', 'billing'])(
  'a period ends (%s): the old bucket is not burnt and the new one is whole, at every process, with no job or webhook',
  async (period) => {
    const project = await world.startProject();
    const { stripePriceId } = await world.sell(project, { features: [calls({ allowance, period })] });
    const begun = second(world.now() - 3 * dayMs - hourMs);
    const paidUntil = second(world.now() + (period === 'day' ? 20 * dayMs : dayMs));
    const userId = await world.subscribe(project, [{ stripePriceId }], {
      start: begun,
      end: paidUntil,
      startDate: begun,
    });
    const [start, end] =
      period === 'day'
        ? [begun.getTime() + 3 * dayMs, begun.getTime() + 4 * dayMs]
        : [begun.getTime(), paidUntil.getTime()];
    const { take, check, partsByStart } = createCalls(project.apiKey, userId);
    const processes = [world.commerce, world.other];

    const before = await Promise.all(
      Array.from({ length: 12 }, (_one, at) => take(processes[at % 2] ?? world.other)),
    );
    expect(before.filter(({ body }) => body.recorded)).toHaveLength(allowance);
    // Both have a copy of the empty bucket.
    for (const by of processes)
      expect(await check(by)).toMatchObject({
        allowed: false,
        valid_until: iso(end),
        balance: { remaining: 0 },
      });

    const ahead = end - world.now() + 1_000;
    for (const { clock } of processes) clock.advance(ahead);
    try {
      for (const by of processes)
        expect(await check(by)).toMatchObject({
          allowed: true,
          balance: {
            granted: allowance,
            used: 0,
            remaining: allowance,
            buckets: [{ period_start: iso(end) }],
          },
        });
      const after = await Promise.all(
        Array.from({ length: 12 }, (_one, at) => take(processes[at % 2] ?? world.other)),
      );
      expect(after.filter(({ body }) => body.recorded)).toHaveLength(allowance);
      expect(await partsByStart()).toEqual({ [iso(start)]: allowance, [iso(end)]: allowance });
    } finally {
      for (const { clock } of processes) clock.advance(-ahead);
    }
  },
);
