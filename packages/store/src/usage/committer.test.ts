import type { CommandResult, UsageOut } from '@billing/domain';
import { asked, startUsage, use } from './usage.test-support.ts';
import type { TestUsage } from './usage.test-support.ts';

let usage: TestUsage;

beforeAll(async () => {
  usage = await startUsage();
});
afterAll(() => usage.close());

const answerOf = (result: CommandResult): UsageOut => {
  if (result.kind !== 'event') throw new Error(`no event: ${JSON.stringify(result)}`);
  return result.answer;
};

const stateOf = async (userId: string, featureCode = 'calls') =>
  usage.database.usageState.findUniqueOrThrow({
    where: { projectId_userId_featureCode: { projectId: 'p', userId, featureCode } },
  });

test('what is used is stored once, with its parts, its slot and its id', async () => {
  await usage.grant('u', 10);
  const answer = answerOf(await usage.submit(asked('u', use('e1', { quantity: 3 }))));
  expect(answer).toMatchObject({
    recorded: true,
    duplicate: false,
    allowed: true,
    quantity: 3,
    usage_seq: 1,
  });
  expect(answer.balance).toMatchObject({ granted: 10, used: 3, remaining: 7 });
  const events = await usage.database.usageEvent.findMany({ where: { userId: 'u' } });
  expect(events).toMatchObject([{ eventId: 'e1', quantity: 3n, usageSeq: 1n, parts: [{ quantity: 3 }] }]);
  expect(await usage.database.usageSlot.findMany({ where: { userId: 'u' } })).toMatchObject([
    { quantity: 3n, overage: 0n },
  ]);
  expect(await usage.database.usageEventId.count({ where: { eventId: 'e1' } })).toBe(1);
});

test('200 takers on 100 units by four committers: exactly 100 are taken', async () => {
  await usage.grant('hot', 100);
  const processes = [usage, usage.process(), usage.process(), usage.process()];
  const submitOf = (index: number) => (processes[index % 4] ?? usage).submit;
  const results = await Promise.all(
    Array.from({ length: 200 }, (_, index) => submitOf(index)(asked('hot', use(`hot_${index}`)))),
  );
  const answers = results.map(answerOf);
  expect(answers.filter((one) => one.recorded)).toHaveLength(100);
  expect(answers.filter((one) => one.reason === 'insufficient_balance')).toHaveLength(100);
  expect(await usage.database.usageEvent.count({ where: { userId: 'hot' } })).toBe(100);
  expect((await stateOf('hot')).usageSeq).toBe(100n);
  const crossings = await usage.database.usageCrossing.findMany({ where: { userId: 'hot' } });
  expect(new Set(crossings.map(({ threshold }) => threshold))).toEqual(new Set([80, 100, null]));
  expect(crossings).toHaveLength(3);
});

test('an id that is not remembered any more is free again', async () => {
  await usage.grant('forgetful', 10);
  const own = usage.process({ retentionMs: 1_000 });
  const command = asked('forgetful', use('again', { quantity: 2 }));
  expect(answerOf(await own.submit(command)).duplicate).toBe(false);
  expect(answerOf(await own.submit(command)).duplicate).toBe(true);
  usage.advance(1_100);
  expect(answerOf(await own.submit(command))).toMatchObject({ duplicate: false, balance: { used: 4 } });
});

test('events fold to the state, and their parts to their quantities, after takers, corrections and holds of two processes', async () => {
  await usage.grant('folded', 500);
  const other = usage.process();
  const submitOf = (index: number) => (index % 2 === 0 ? usage : other).submit;
  await Promise.all(
    Array.from({ length: 60 }, (_, index) =>
      submitOf(index)(asked('folded', use(`folded_${index}`, { quantity: (index % 5) + 1 }))),
    ),
  );
  await Promise.all([
    ...Array.from({ length: 20 }, (_, index) =>
      submitOf(index)(
        asked('folded', use(`back_${index}`, { quantity: -1, corrects: `folded_${index}`, mode: 'record' })),
      ),
    ),
    ...Array.from({ length: 20 }, (_, index) =>
      submitOf(index)(
        asked('folded', {
          kind: 'reserve',
          reservationId: `folded_${index}`,
          quantity: 2,
          expiresInMs: 60_000,
          onExpiry: 'release',
        }),
      ),
    ),
  ]);
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      submitOf(index)(
        asked('folded', {
          kind: 'confirm',
          reservationId: `folded_${index}`,
          quantity: 1,
          overrun: 'record',
        }),
      ),
    ),
  );
  const events = await usage.database.usageEvent.findMany({ where: { userId: 'folded' } });
  const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0);
  for (const { parts, quantity } of events)
    expect(sum((parts as { quantity: number }[]).map((part) => part.quantity))).toBe(Number(quantity));
  const used = sum(events.map(({ quantity }) => Number(quantity)));
  expect(used).toBe(180 - 20 + 20);
  const state = await stateOf('folded');
  expect(state).toMatchObject({ openHolds: 0, buckets: [{ used, held: 0, overage: 0 }] });
  expect(new Set(events.map(({ usageSeq }) => usageSeq)).size).toBe(events.length);
  const slots = await usage.database.usageSlot.findMany({ where: { userId: 'folded' } });
  expect(sum(slots.map(({ quantity }) => Number(quantity)))).toBe(used);
});

test('usage of a week that nobody made is taken all the same', async () => {
  await usage.grant('later', 10);
  usage.advance(200 * 86_400_000);
  expect(answerOf(await usage.submit(asked('later', use('later_1')))).recorded).toBe(true);
  usage.advance(-200 * 86_400_000);
});

test('a change of sources between reading and taking is seen', async () => {
  await usage.grant('richer', 1);
  const other = usage.process();
  expect(answerOf(await other.submit(asked('richer', use('richer_1')))).recorded).toBe(true);
  expect(answerOf(await other.submit(asked('richer', use('richer_2')))).recorded).toBe(false);
  await usage.grant('richer', 5);
  expect(answerOf(await other.submit(asked('richer', use('richer_2'))))).toMatchObject({
    recorded: true,
    balance: { granted: 6, used: 2 },
  });
});

test('what is refused leaves no row, and what is taken after it makes one', async () => {
  await usage.grant('careful', 10);
  const rows = () =>
    usage.database.usageState.count({ where: { userId: { in: ['careful', 'guessed', 'nobody'] } } });
  const results = await Promise.all([
    usage.submit(asked('careful', use('careful_1', { quantity: 11 }))),
    usage.submit(asked('careful', use('careful_2'), 'guessed')),
    usage.submit(asked('nobody', use('careful_3'))),
    usage.submit(
      asked('careful', {
        kind: 'reserve',
        reservationId: 'careful',
        quantity: 11,
        expiresInMs: 60_000,
        onExpiry: 'release',
      }),
    ),
  ]);
  expect(results).toMatchObject([
    { kind: 'event', answer: { recorded: false, reason: 'insufficient_balance', usage_seq: 0 } },
    { kind: 'refused', code: 'feature_not_metered' },
    { kind: 'event', answer: { recorded: false, reason: 'not_entitled' } },
    { kind: 'reservation', answer: { state: 'denied' } },
  ]);
  expect(await rows()).toBe(0);
  const [taken, denied] = await Promise.all([
    usage.submit(asked('careful', use('careful_1', { quantity: 6 }))),
    usage.process().submit(asked('careful', use('careful_4', { quantity: 6 }))),
  ]);
  expect([answerOf(taken).recorded, answerOf(denied).recorded].filter(Boolean)).toHaveLength(1);
  expect(await rows()).toBe(1);
});

test('an id that another user has is refused without a row', async () => {
  await usage.grant('first', 1);
  await usage.grant('second', 1);
  await usage.submit(asked('first', use('shared')));
  expect(await usage.submit(asked('second', use('shared')))).toMatchObject({
    kind: 'refused',
    code: 'event_conflict',
  });
  expect(await usage.database.usageState.count({ where: { userId: 'second' } })).toBe(0);
});
