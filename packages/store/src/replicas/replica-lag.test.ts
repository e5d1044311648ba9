import { addSample, dataAsOf } from './replica-lag.ts';
import type { PrimarySample } from './replica-lag.ts';

const sample = (at: number, position: bigint, timeline = 1): PrimarySample => ({ at, position, timeline });

test.each<[string, PrimarySample[], bigint, number, number | null]>([
  ['nothing is known of the primary', [], 10n, 1, null],
  ['all is replayed', [sample(1, 10n), sample(2, 20n)], 20n, 1, 2],
  ['more is replayed than was seen', [sample(1, 10n), sample(2, 20n)], 25n, 1, 2],
  ['the last second is not', [sample(1, 10n), sample(2, 20n)], 19n, 1, 1],
  ['an idle primary has no lag', [sample(1, 10n), sample(2, 10n), sample(3, 10n)], 10n, 1, 3],
  [
    'a change after a long rest is as old as it is',
    [sample(1, 10n), sample(2, 10n), sample(3, 11n)],
    10n,
    1,
    2,
  ],
  ['what is missing is older than all that was seen', [sample(1, 10n)], 9n, 1, null],
  ['the replica follows another primary', [sample(1, 10n, 2)], 99n, 1, null],
])('%s', (_what, samples, position, timeline, asOf) => {
  expect(dataAsOf(samples, { position, timeline })).toBe(asOf);
});

test('samples of another timeline, or of a log that went back, are forgotten', () => {
  const seen = [sample(1, 10n), sample(2, 20n)];
  expect(addSample(seen, sample(3, 30n))).toEqual([...seen, sample(3, 30n)]);
  expect(addSample(seen, sample(3, 30n, 2))).toEqual([sample(3, 30n, 2)]);
  expect(addSample(seen, sample(3, 19n))).toEqual([sample(3, 19n)]);
});
