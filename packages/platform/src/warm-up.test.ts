import { warmUp } from './warm-up.ts';

test.each([
  ['as often as it is told', { rounds: 3, ms: 60_000 }, 3],
  ['not at all without time', { rounds: 3, ms: 0 }, 0],
])('runs the work %s', async (_what, limits, expected) => {
  let runs = 0;
  await warmUp(() => Promise.resolve((runs += 1)), limits);
  expect(runs).toBe(expected);
});

test('ends with the first failure', async () => {
  let runs = 0;
  const work = async (): Promise<void> => {
    runs += 1;
    throw new Error('away');
  };
  await expect(warmUp(work, { rounds: 3, ms: 60_000 })).rejects.toThrow('away');
  expect(runs).toBe(1);
});
