import { addSample, dataAsOf } from './replica-lag.ts';
import type { PrimarySample, ReplicaPosition } from './replica-lag.ts';

const sample = (at: number, position: bigint, timeline = 1): PrimarySample => ({ at, position, timeline });
const on1 = (position: bigint): ReplicaPosition => ({ position, timeline: 1 });

test.each<[string, PrimarySample[], ReplicaPosition, number | null]>([
  ['nothing is known of the primary', [], on1(10n), null],
  ['all is replayed', [sample(1, 10n), sample(2, 20n)], on1(20n), 2],
  ['more is replayed than was seen', [sample(1, 10n), sample(2, 20n)], on1(25n), 2],
  ['the last second is not', [sample(1, 10n), sample(2, 20n)], on1(19n), 1],
  ['an idle primary has no lag', [sample(1, 10n), sample(2, 10n), sample(3, 10n)], on1(10n), 3],
  [
    'a change after a long rest is as old as it is',
    [sample(1, 10n), sample(2, 10n), sample(3, 11n)],
    on1(10n),
    2,
  ],
  ['what is missing is older than all that was seen', [sample(1, 10n)], on1(9n), null],
  ['the replica follows another primary', [sample(1, 10n, 2)], on1(99n), null],
])('%s', (_what, samples, replica, asOf) => {
  expect(dataAsOf(samples, replica)).toBe(asOf);
});

test('samples of another timeline, or of a log that went back, are forgotten', () => {
  const seen = [sample(1, 10n), sample(2, 20n)];
  expect(addSample(seen, sample(3, 30n))).toEqual([...seen, sample(3, 30n)]);
  expect(addSample(seen, sample(3, 30n, 2))).toEqual([sample(3, 30n, 2)]);
  expect(addSample(seen, sample(3, 19n))).toEqual([sample(3, 19n)]);
});
