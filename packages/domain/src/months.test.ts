import { addMonths, monthOf, planMonths, startOfMonth } from './months.ts';
import { dayMs } from './time.ts';

test.each([
  ['2026-11', 1, '2026-12'],
  ['2026-12', 1, '2027-01'],
  ['2026-01', -1, '2025-12'],
  ['2026-11', 14, '2028-01'],
])('%s and %i months', (month, count, expected) => {
  expect(addMonths(month, count)).toBe(expected);
});

test('a month begins and ends in UTC', () => {
  expect(monthOf(startOfMonth('2026-03'))).toBe('2026-03');
  expect(monthOf(startOfMonth('2026-03') - 1)).toBe('2026-02');
});

const plan = (existing: string[], now: string) =>
  planMonths({ existing, now: Date.parse(now), monthsAhead: 3, keptMs: 40 * dayMs });

test.each([
  {
    what: 'none is there',
    existing: [],
    missing: ['2026-11', '2026-12', '2027-01', '2027-02'],
    ahead: -1,
  },
  { what: 'all are there', existing: ['2026-11', '2026-12', '2027-01', '2027-02'], missing: [], ahead: 3 },
  {
    what: 'the next is missing',
    existing: ['2026-11', '2027-01'],
    missing: ['2026-12', '2027-02'],
    ahead: 0,
  },
  {
    what: 'the present one is missing',
    existing: ['2026-12'],
    missing: ['2026-11', '2027-01', '2027-02'],
    ahead: -1,
  },
])('months to be made where $what', ({ existing, missing, ahead }) => {
  expect(plan(existing, '2026-11-30T23:59:59.999Z')).toMatchObject({ missing, ahead });
});

test.each([
  ['2026-11-09T23:59:59.999Z', []],
  ['2026-11-10T00:00:00.000Z', ['2026-09']],
  ['2026-12-11T00:00:00.000Z', ['2026-09', '2026-10']],
])('a month is expired once its last moment is older than is kept: at %s', (now, expired) => {
  expect(plan(['2026-10', '2026-09', '2026-11'], now).expired).toEqual(expired);
});
