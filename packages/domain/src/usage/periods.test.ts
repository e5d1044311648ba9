import { calendarPeriod, nextPeriod, periodFrom, previousPeriod } from './periods.ts';
import type { PeriodUnit } from './periods.ts';
import { at } from './usage.test-support.ts';

const iso = (moment: number): string => new Date(moment).toISOString().slice(0, 16);

describe('periods that count from a moment clamp as Stripe’s anchors do', () => {
  it.each<[string, PeriodUnit, string, string, string]>([
    // anchor, unit, at, start, end
    ['2026-01-31T10:00Z', 'month', '2026-02-28T09:59Z', '2026-01-31T10:00', '2026-02-28T10:00'],
    ['2026-01-31T10:00Z', 'month', '2026-02-28T10:00Z', '2026-02-28T10:00', '2026-03-31T10:00'],
    ['2026-01-31T10:00Z', 'month', '2026-04-30T10:00Z', '2026-04-30T10:00', '2026-05-31T10:00'],
    ['2026-01-31T10:00Z', 'month', '2027-12-31T10:00Z', '2027-12-31T10:00', '2028-01-31T10:00'],
    ['2028-01-30T00:00Z', 'month', '2028-02-29T00:00Z', '2028-02-29T00:00', '2028-03-30T00:00'],
    ['2028-02-29T00:00Z', 'year', '2029-03-01T00:00Z', '2029-02-28T00:00', '2030-02-28T00:00'],
    ['2028-02-29T00:00Z', 'year', '2032-02-29T00:00Z', '2032-02-29T00:00', '2033-02-28T00:00'],
    ['2026-03-05T12:00Z', 'week', '2026-03-12T11:59Z', '2026-03-05T12:00', '2026-03-12T12:00'],
    ['2026-03-05T12:00Z', 'day', '2026-03-07T12:00Z', '2026-03-07T12:00', '2026-03-08T12:00'],
    // Ahead of our clock, as of a test clock: the first one.
    ['2027-01-31T00:00Z', 'month', '2026-06-01T00:00Z', '2027-01-31T00:00', '2027-02-28T00:00'],
    ['2027-01-31T00:00Z', 'day', '2026-06-01T00:00Z', '2027-01-31T00:00', '2027-02-01T00:00'],
  ])('%s, %s, at %s', (...[anchor, unit, moment, start, end]) => {
    const period = periodFrom(at(anchor), unit, at(moment));
    expect([iso(period.start), iso(period.end)]).toEqual([start, end]);
  });
});

describe('calendar periods begin at midnight of the zone', () => {
  it.each<[string, PeriodUnit, string, string, string]>([
    ['UTC', 'day', '2026-03-29T12:00Z', '2026-03-29T00:00', '2026-03-30T00:00'],
    ['UTC', 'week', '2026-03-29T23:59Z', '2026-03-23T00:00', '2026-03-30T00:00'],
    ['UTC', 'week', '2026-03-30T00:00Z', '2026-03-30T00:00', '2026-04-06T00:00'],
    ['UTC', 'month', '2028-02-29T23:59Z', '2028-02-01T00:00', '2028-03-01T00:00'],
    ['UTC', 'year', '2026-12-31T23:59Z', '2026-01-01T00:00', '2027-01-01T00:00'],
    // A day of 23 hours and one of 25.
    ['Europe/Berlin', 'day', '2026-03-29T12:00Z', '2026-03-28T23:00', '2026-03-29T22:00'],
    ['Europe/Berlin', 'day', '2026-10-25T00:30Z', '2026-10-24T22:00', '2026-10-25T23:00'],
    ['Europe/Berlin', 'month', '2026-10-31T23:30Z', '2026-10-31T23:00', '2026-11-30T23:00'],
    ['Europe/Berlin', 'week', '2026-10-25T12:00Z', '2026-10-18T22:00', '2026-10-25T23:00'],
    ['America/New_York', 'year', '2027-01-01T04:59Z', '2026-01-01T05:00', '2027-01-01T05:00'],
    ['Asia/Kolkata', 'day', '2026-05-01T18:29Z', '2026-04-30T18:30', '2026-05-01T18:30'],
    // Clocks that skip midnight: the day begins after the gap. Those that go back over it: at the first midnight.
    ['Africa/Cairo', 'day', '2023-04-28T12:00Z', '2023-04-27T22:00', '2023-04-28T21:00'],
    ['America/Havana', 'day', '2026-11-01T12:00Z', '2026-11-01T04:00', '2026-11-02T05:00'],
    ['America/Sao_Paulo', 'day', '2018-02-17T12:00Z', '2018-02-17T02:00', '2018-02-18T03:00'],
    // A day that did not exist.
    ['Pacific/Apia', 'day', '2011-12-30T09:00Z', '2011-12-29T10:00', '2011-12-30T10:00'],
    ['Pacific/Apia', 'day', '2011-12-30T10:00Z', '2011-12-30T10:00', '2011-12-31T10:00'],
  ])('%s, %s, at %s', (...[zone, unit, moment, start, end]) => {
    const period = calendarPeriod(zone, unit, at(moment));
    expect([iso(period.start), iso(period.end)]).toEqual([start, end]);
    // What is remembered of the zone changes nothing.
    expect(calendarPeriod(zone, unit, period.start)).toEqual(period);
    expect(calendarPeriod(zone, unit, period.end - 1)).toEqual(period);
    expect(calendarPeriod(zone, unit, period.end).start).toBe(period.end);
  });
});

describe('a paid period that was not heard of has the length of the one beside it', () => {
  it.each<[string, string, string, string]>([
    // start, end, end of the next, start of the one before
    ['2026-01-31', '2026-02-28', '2026-03-31', '2025-12-31'],
    ['2026-02-28', '2026-03-31', '2026-04-30', '2026-01-31'],
    ['2026-02-28', '2026-03-28', '2026-04-28', '2026-01-28'],
    ['2028-02-29', '2029-02-28', '2030-02-28', '2027-02-28'],
    ['2026-01-31', '2026-02-14', '2026-02-28', '2026-01-17'],
    ['2026-01-01', '2026-04-01', '2026-07-01', '2025-10-01'],
    ['2026-03-02', '2026-03-09', '2026-03-16', '2026-02-23'],
  ])('%s to %s', (start, end, next, before) => {
    const period = { start: at(start), end: at(end) };
    expect(nextPeriod(period)).toEqual({ start: at(end), end: at(next) });
    expect(previousPeriod(period)).toEqual({ start: at(before), end: at(start) });
  });
});
