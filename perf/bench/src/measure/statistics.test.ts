import { median, percentile, shuffled, spreadOf } from './statistics.ts';

describe('statistics of rounds', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 2, 3], 2.5],
    [[7], 7],
  ])('takes the median of %j', (values, expected) => expect(median(values)).toBe(expected));

  it('takes percentiles by nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect([0.5, 0.95, 0.99, 1].map((share) => percentile(hundred, share))).toEqual([50, 95, 99, 100]);
  });

  it('gives the spread of the rounds', () => {
    expect(spreadOf([5, 9, 6])).toEqual({ median: 6, least: 5, greatest: 9 });
  });

  it('shuffles without losing or doubling anything', () => {
    const items = Array.from({ length: 50 }, (_, index) => index);
    expect(shuffled(items).sort((a, b) => a - b)).toEqual(items);
  });
});
