import { createPace } from './base-line-pace.ts';

/** A pace whose probes take as long as is said. */
function startPace() {
  let at = 0;
  const pace = createPace(() => at);
  return {
    restMs: pace.restMs,
    probe: async (...tookMs: number[]): Promise<void> => {
      for (const ms of tookMs)
        await pace.probe(() => {
          at += ms;
          return Promise.resolve();
        });
    },
  };
}

const often = (ms: number): number[] => Array.from({ length: 20 }, () => ms);

it('works nearly all the time while nobody waits, wherever Postgres is', async () => {
  for (const quickest of [0.5, 40]) {
    const pace = startPace();
    await pace.probe(...often(quickest));
    expect(pace.restMs(100)).toBeCloseTo(10, 0);
  }
});

it('rests as long as it works while others wait, and at first', async () => {
  const pace = startPace();
  expect(pace.restMs(100)).toBe(100);
  await pace.probe(0.5, ...often(30));
  expect(pace.restMs(100)).toBe(100);
  await pace.probe(...often(0.5));
  expect(pace.restMs(100)).toBeLessThan(15);
});

it('a single statement that waited does not stop it', async () => {
  const pace = startPace();
  await pace.probe(...often(1), 3);
  expect(pace.restMs(100)).toBeLessThan(30);
});
