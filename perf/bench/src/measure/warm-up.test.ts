import { stands, warmUp } from './warm-up.ts';
import type { WarmUp } from './warm-up.ts';

describe('a figure stands', () => {
  it.each([
    [[], false],
    [[100], false],
    [[100, 105], true],
    [[105, 100], true],
    [[100, 106], false],
    [[106, 100], false],
    [[100, 100, 50], false],
    [[500, 100, 101], true],
  ])('after windows of %j: %p', (figures, expected) => expect(stands(figures)).toBe(expected));
});

describe('a warm-up', () => {
  const run = async (figures: number[], rule: Partial<WarmUp>) => {
    let windows = 0;
    const said: string[] = [];
    const stood = await warmUp({
      name: 'a server',
      window: () => Promise.resolve({ figure: figures[windows++] ?? 100, count: 10 }),
      say: (line) => said.push(line),
      mostMs: 60_000,
      ...rule,
    });
    return { windows, stood, said: said.join() };
  };

  it.each([
    ['the second of two alike', [900, 300, 110, 100, 100], { leastCount: 0 }, { windows: 5, stood: true }],
    ['its least number, however alike', [100, 100], { leastCount: 60 }, { windows: 6, stood: true }],
    ['its least time, however few', [100, 100], { leastCount: 60, leastMs: 0 }, { windows: 2, stood: true }],
    ['its longest time', [900, 300], { mostMs: 0 }, { windows: 1, stood: false }],
  ])('ends with %s', async (_what, figures, rule, outcome) => {
    expect(await run(figures, rule)).toMatchObject(outcome);
  });

  it('says when the figure does not stand', async () => {
    expect((await run([900], { mostMs: 0 })).said).toContain('DOES NOT STAND');
  });
});
