import { dayMs, hourMs, minuteMs } from '@billing/domain';
import type { CommandResult, UsageOut } from '@billing/domain';
import { asked, startUsage, use } from './usage.test-support.ts';
import type { TestUsage } from './usage.test-support.ts';

let usage: TestUsage;

beforeAll(async () => {
  usage = await startUsage();
  const { database } = usage;
  for (const [id, period] of [
    ['daily', 'day'],
    ['rolling', 'day'],
    ['lasting', 'once'],
  ] as const) {
    const settings = { allowance: 10, period, anchor: 'source', per_unit: false, overage: 'deny' };
    await database.product.create({
      data: {
        projectId: 'p',
        productId: id,
        name: id,
        featureCodes: ['calls'],
        features: { calls: { ...settings, overage_limit: null } },
      },
    });
    await database.price.create({
      data: {
        projectId: 'p',
        priceId: id,
        productId: id,
        stripePriceId: `price_${id}`,
        amount: 100n,
        currency: 'usd',
        interval: 'month',
      },
    });
  }
});
afterAll(() => usage.close());

const answerOf = (result: CommandResult): UsageOut => {
  if (result.kind !== 'event') throw new Error(`no event: ${JSON.stringify(result)}`);
  return result.answer;
};

/** A user with a subscription that began some days ago. Returns its id. */
async function subscribe(userId: string, priceId: string, daysAgo: number): Promise<string> {
  const start = new Date(usage.clock() - daysAgo * dayMs);
  const id = `sub_${userId}`;
  const user = await usage.database.user.create({ data: { projectId: 'p', userId } });
  await usage.database.subscription.create({
    data: {
      id,
      userRef: user.id,
      status: 'active',
      startDate: start,
      items: {
        create: {
          itemId: `si_${userId}`,
          stripePriceId: `price_${priceId}`,
          quantity: 1n,
          currentPeriodStart: start,
          currentPeriodEnd: new Date(start.getTime() + 30 * dayMs),
        },
      },
    },
  });
  return id;
}

/** The subscription changes, and its user's version with it. */
async function change(
  userId: string,
  data: { endedAt?: Date | null; cancelAt?: Date | null; status?: string },
) {
  await usage.database.subscription.update({ where: { id: `sub_${userId}` }, data });
  await usage.database.user.update({
    where: { projectId_userId: { projectId: 'p', userId } },
    data: { version: { increment: 1 } },
  });
}

type Used = [start: number, quantity: number];
const byStart = ([a]: Used, [b]: Used): number => a - b;

/** What the events took of each bucket of a source, and what is stored of it. */
async function usedOf(userId: string, sourceId: string) {
  const events = await usage.database.usageEvent.findMany({ where: { userId } });
  const state = await usage.database.usageState.findFirstOrThrow({ where: { userId } });
  const ended = await usage.database.usageEndedBucket.findMany({ where: { userId } });
  type Bucket = { sourceId: string; start: number; used: number };
  type Part = { sourceId: string; start: number; quantity: number };
  const list = <T>(value: unknown): T[] => JSON.parse(JSON.stringify(value));
  const sums = new Map<number, number>();
  for (const part of events.flatMap((one) => list<Part>(one.parts)))
    if (part.sourceId === sourceId) sums.set(part.start, (sums.get(part.start) ?? 0) + part.quantity);
  const buckets = [...list<Bucket>(state.buckets), ...list<Bucket>(ended.map((one) => one.bucket))];
  const stored = buckets.filter((one) => one.sourceId === sourceId).map((one): Used => [one.start, one.used]);
  return { taken: [...sums].toSorted(byStart), stored: stored.toSorted(byStart) };
}

test('late usage of a source that is over finds the bucket of that time as it was left, though all present ones began before', async () => {
  const source = await subscribe('late', 'daily', 3);
  await usage.grant('late', 100);
  const record = (id: string, quantity: number) =>
    use(id, { quantity, mode: 'record', timestamp: usage.clock() - 36 * hourMs });
  await usage.submit(asked('late', record('late_1', 8)));
  await change('late', { status: 'canceled', endedAt: new Date(usage.clock() - 1_000) });
  const answer = answerOf(await usage.submit(asked('late', record('late_2', 5))));
  // Two were left of that day; the others are the grant's.
  expect(answer.balance).toMatchObject({ used: 3, remaining: 97 });
  const { taken, stored } = await usedOf('late', source);
  expect(taken.map(([, quantity]) => quantity)).toEqual([10]);
  expect(stored).toEqual(taken);
});

test('a source whose end is put off after it has passed has its bucket as it was left', async () => {
  const source = await subscribe('revived', 'lasting', 3);
  await change('revived', { cancelAt: new Date(usage.clock() + minuteMs) });
  await usage.submit(asked('revived', use('revived_1', { quantity: 7 })));
  usage.advance(10 * minuteMs);
  // Its end has passed, and what is used now is of no bucket: the row has it no more.
  await usage.submit(asked('revived', use('revived_2', { mode: 'record' })));
  await change('revived', { cancelAt: null });
  const denied = answerOf(await usage.submit(asked('revived', use('revived_3', { quantity: 4 }))));
  expect(denied).toMatchObject({ allowed: false, balance: { granted: 10, used: 7, remaining: 3 } });
  const taken = answerOf(await usage.submit(asked('revived', use('revived_4', { quantity: 3 }))));
  expect(taken).toMatchObject({ recorded: true, balance: { used: 10, remaining: 0 } });
  const found = await usedOf('revived', source);
  expect(found.stored).toEqual(found.taken);
});

test('rollover that a product gets later counts what was used of the period before', async () => {
  await subscribe('rolling', 'rolling', 3);
  const yesterday = use('rolling_1', { quantity: 8, mode: 'record', timestamp: usage.clock() - 30 * hourMs });
  await usage.submit(asked('rolling', yesterday));
  const key = { projectId_productId: { projectId: 'p', productId: 'rolling' } };
  const { features } = await usage.database.product.findUniqueOrThrow({ where: key });
  const { calls } = JSON.parse(JSON.stringify(features));
  await usage.database.product.update({
    where: key,
    data: { features: { calls: { ...calls, rollover: { periods: 2 } } } },
  });
  await usage.database.project.update({ where: { id: 'p' }, data: { version: { increment: 1 } } });
  const { balance } = answerOf(await usage.submit(asked('rolling', use('rolling_2'))));
  // Ten of today, ten of the day before, and two that the day before that had left.
  expect(balance).toMatchObject({ granted: 22, used: 1, buckets: [{ rolled_over: 12 }] });
  const { balance: next } = answerOf(await usage.submit(asked('rolling', use('rolling_3'))));
  expect(next).toMatchObject({ granted: 22, used: 2 });
});
