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
