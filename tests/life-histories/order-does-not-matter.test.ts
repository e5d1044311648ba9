import * as fc from 'fast-check';
import { stories as allStories } from './stories/all-stories.ts';
import { createCanonical, deliver, runTrial } from './support/run-trial.ts';
import { trialsOf } from './support/trial.ts';
import type { Trial } from './support/trial.ts';
import { startWorld } from './support/world.ts';
import type { World } from './support/world.ts';

/**
 * Each life runs through the real worker on a real Postgres. `LIFE_HISTORIES_RUNS` sets their number. To repeat
 * one, set the `LIFE_HISTORIES_SEED` and `LIFE_HISTORIES_PATH` that its failure printed.
 * `LIFE_HISTORIES_STORY` (a regular expression) selects stories.
 */
const runs = Number(process.env['LIFE_HISTORIES_RUNS'] ?? 96);
const seed = Number(process.env['LIFE_HISTORIES_SEED'] ?? Date.now() % 1_000_000_007);
const path = process.env['LIFE_HISTORIES_PATH'];
const named = new RegExp(process.env['LIFE_HISTORIES_STORY'] ?? '');
const stories = allStories.filter((story) => named.test(story.name));

/** Lives at the same time: their events share statements, as under backlog. */
const lanes = path === undefined ? 96 : 1;

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

it.each(stories.map((story) => [story.name, story] as const))('in Stripe’s order: %s', async (_, story) => {
  const canonical = createCanonical(world);
  const { granted } = await canonical({
    story,
    ownership: 'mapped',
    shape: 'pinned',
    spacing: 'story',
    gaps: 0,
    stripe: 'answers',
  });
  // What is granted just after the end has been compared with the story already.
  expect(granted).not.toEqual([]);
});

it(
  `the events of a life end in one state, in any order (${runs} lives)`,
  async () => {
    const canonical = createCanonical(world);
    const failures: string[] = [];
    const check = async (trial: Trial): Promise<void> => {
      if (failures.length > 0) return;
      // Waits for both, so that neither goes on after the test.
      const inAnyOrder = runTrial(world, trial, (...parts) => deliver(world, ...parts));
      await Promise.allSettled([inAnyOrder, canonical(trial)]);
      const [state, expected] = await Promise.all([inAnyOrder, canonical(trial)]);
      expect(state).toEqual(expected);
    };
    await Promise.all(
      Array.from({ length: lanes }, async (_, lane) => {
        const numRuns = Math.ceil(runs / lanes);
        const options = { numRuns, seed: seed + lane, ...(path === undefined ? {} : { path }) };
        await fc
          .assert(fc.asyncProperty(trialsOf(stories), check), {
            ...options,
            endOnFailure: true,
            includeErrorInReport: true,
          })
          .catch((error: unknown) => failures.push(String(error)));
      }),
    );
    expect(failures.join('\n\n')).toBe('');
  },
  Math.max(300_000, runs * 150),
);
