import type { SampleOut } from '@billing/domain';
import { eventPoints, queuePoints } from '../src/pages/overview/points.ts';

const stepSeconds = 90;
const begin = Date.parse('2026-11-22T00:00:00.000Z');
const none = { applied: 0, stale: 0, ignored: 0, quarantined: 0, failed: 0 };
const queue = (value: number): SampleOut['queues'] => [
  { name: 'stripe-events', waiting: value, active: 0, delayed: 0, failed: 0, oldest_seconds: value },
];
const sample = (index: number, given: Partial<SampleOut> = {}): SampleOut => ({
  at: new Date(begin + index * stepSeconds * 1_000).toISOString(),
  queues: queue(0),
  events: none,
  ...given,
});
const day = Array.from({ length: 960 }, (_, index) => sample(index));
const options = { stepSeconds, label: (at: number) => new Date(at).toISOString() };

test('a day of samples has at most 145 points, and no moment of it is left out', () => {
  for (let index = 0; index < day.length; index += 1) {
    const peak = day.with(index, sample(index, { queues: queue(7), events: { ...none, failed: 1 } }));
    const queues = queuePoints(peak, options, ({ waiting }) => waiting);
    expect(queues.length).toBeLessThanOrEqual(145);
    expect(queues.filter((point) => point['stripe-events'] === 7)).toHaveLength(1);
    const failed = eventPoints(peak, options, ['failed']).map((point) => Number(point['failed']));
    expect(failed.filter((rate) => rate > 0)).toHaveLength(1);
  }
});

test('events are counted by the minute', () => {
  const [point] = eventPoints([sample(1, { events: { ...none, applied: 9 } })], options, [
    'applied',
    'failed',
  ]);
  expect(point).toEqual({ at: '2026-11-22T00:01:30.000Z', applied: 6, failed: 0 });
});

test('where no worker ran there is a gap, and where the queue was away it has no value', () => {
  const points = queuePoints([sample(1), sample(4, { queues: [] })], options, ({ waiting }) => waiting);
  expect(points.map((point) => point['stripe-events'])).toEqual([0, undefined, undefined, undefined]);
  expect(eventPoints([sample(1), sample(3)], options, ['stale']).map((point) => point['stale'])).toEqual([
    0,
    undefined,
    0,
  ]);
});

test('nothing has no points', () => {
  expect(queuePoints([], options, ({ waiting }) => waiting)).toEqual([]);
  expect(eventPoints([], options, ['applied'])).toEqual([]);
});
