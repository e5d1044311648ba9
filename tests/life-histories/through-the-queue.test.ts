import * as fc from 'fast-check';
import { waitFor } from '@billing/testing';
import { stories } from './stories/all-stories.ts';
import { createCanonical, runTrial } from './support/run-trial.ts';
import type { Deliver } from './support/run-trial.ts';
import { trialsOf } from './support/trial.ts';
import type { Trial } from './support/trial.ts';
import { startWorld } from './support/world.ts';
import type { World } from './support/world.ts';

const lives = 64;

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

/** Enqueues all events at once; the worker takes 16 at a time, in its own order. */
const enqueue: Deliver = async (trial, { events }, hosted) => {
  await Promise.all(
    trial.deliveries.map(async ({ index }, place) => {
      const event = events[index];
      if (event === undefined) throw new Error('a delivery of no event');
      hosted.seen = Math.max(hosted.seen, index);
      const data = { event, received_at: new Date(world.deps.clock()).toISOString() };
      await world.queue.add(
        { name: event.type, data, jobId: `${event.id}-${place}` },
        { deadlineMs: 10_000 },
      );
    }),
  );
  await waitFor(async () => Object.values(await world.queue.counts()).every((count) => count === 0), {
    what: 'an empty queue',
    timeoutMs: 60_000,
  });
};

it(`${lives} lives at once end as in Stripe's order, through the queue`, async () => {
  const canonical = createCanonical(world);
  const seed = Date.now() % 1_000_000_007;
  const sample = fc.sample(trialsOf(stories), { numRuns: lives, seed });
  const check = async (trial: Trial): Promise<void> => {
    const state = await runTrial(world, trial, enqueue);
    const trialText = `seed ${seed}: ${fc.stringify(trial)}`;
    expect({ trialText, state }).toEqual({ trialText, state: await canonical(trial) });
  };
  await Promise.all(sample.map(check));
}, 120_000);
