import { aGrant } from '../entitlements/sources.test-support.ts';
import { balanceOf } from './balance.ts';
import {
  accountOf,
  after,
  at,
  aUse,
  decide,
  eventOf,
  lateMs,
  later,
  metered,
  packOf,
  subscriptionOf,
} from './usage.test-support.ts';
import type { Scene } from './usage.test-support.ts';

const april: [string, string] = ['2026-04-10', '2026-05-10'];
const now = '2026-04-20';
const plan = (settings = metered(), fields: Parameters<typeof subscriptionOf>[2] = {}): Scene => ({
  subscriptions: [subscriptionOf(settings, april, fields)],
  now,
});
const pack = metered({ period: 'once' });

describe('time', () => {
  const moment = at(now);
  it.each<[string, number, string | null]>([
    ['5 minutes ahead', moment + 300_000, null],
    ['more', moment + 300_001, 'timestamp_out_of_range'],
    ['as late as may be', moment - lateMs, null],
    ['later', moment - lateMs - 1, 'timestamp_out_of_range'],
  ])('%s', (_what, timestamp, code) => {
    const decided = decide(accountOf(plan()), aUse({ timestamp, mode: 'record' }));
    expect(decided.kind === 'refused' ? decided.code : null).toBe(code);
  });

  const late = (mode: 'enforce' | 'record', timestamp: string, scene: Scene) =>
    eventOf(accountOf(scene), aUse({ mode, timestamp: at(timestamp) })).event.parts.map(
      (part) => `${part.sourceId} ${new Date(part.start).toISOString().slice(0, 10)}`,
    );
  const old = { ...plan(), now: '2026-05-10' };
  it.each<[string, 'enforce' | 'record', string, Scene, string[]]>([
    ['record: the bucket of its own time', 'record', '2026-05-09', old, ['sub_1 2026-04-10']],
    ['enforce: the current one', 'enforce', '2026-05-09', old, ['sub_1 2026-05-10']],
    ['a day', 'record', '2026-04-18T12:00Z', plan(metered({ period: 'day' })), ['sub_1 2026-04-18']],
    [
      'a paid period before the one that is known',
      'record',
      '2026-04-15',
      {
        subscriptions: [
          subscriptionOf(metered(), ['2026-05-10', '2026-06-10'], { startDate: at('2026-03-10') }),
        ],
        now: '2026-05-15',
      },
      ['sub_1 2026-04-10'],
    ],
    [
      'of a source that has ended since',
      'record',
      '2026-04-18',
      {
        ...plan(undefined, { status: 'canceled', endedAt: at('2026-04-19') }),
        grants: [aGrant({ validFrom: at('2026-04-19'), amount: 5 })],
      },
      ['sub_1 2026-04-10'],
    ],
    [
      'of before the source: the current one',
      'record',
      '2026-04-05',
      { grants: [aGrant({ validFrom: at('2026-04-10'), amount: 5 })], now },
      ['grant_1 2026-04-10'],
    ],
    ['of nothing', 'record', '2026-04-18', { now }, [' 1970-01-01']],
  ])('%s', (...[_what, mode, timestamp, scene, parts]) => {
    expect(late(mode, timestamp, scene)).toEqual(parts);
  });

  it('U4: at its end a bucket is not burnt any more and the next is whole, with nothing but the clock', () => {
    const used = after(accountOf({ ...plan(), now: at('2026-05-10') - 1 }), aUse({ quantity: 100 }));
    const next = later(used, { ...plan(), now: '2026-05-10' });
    expect(balanceOf(next)).toMatchObject({ used: 0, remaining: 100, resets_at: '2026-06-10T00:00:00.000Z' });
    const taken = after(next, aUse({ quantity: 100 }));
    expect(taken.state.buckets.map((one) => one.used)).toEqual([100, 100]);
  });
});

describe('corrections', () => {
  const scene = { ...plan(), purchases: [packOf(pack, { paid: '2026-04-01' })] };
  const first = eventOf(accountOf(scene), aUse({ quantity: 230, mode: 'record' }));
  const correction = (quantity: number, fields = {}) =>
    decide(first.account, aUse({ quantity, corrects: first.event.eventId, ...fields }), {
      corrected: first.event,
    });

  it.each<[number, [string, number, number][]]>([
    // What is given back: to whom, how much, of which overage.
    [-30, [['pi_1', -30, -30]]],
    [
      -40,
      [
        ['pi_1', -30, -30],
        ['pi_1', -10, 0],
      ],
    ],
    [
      -180,
      [
        ['pi_1', -30, -30],
        ['pi_1', -100, 0],
        ['sub_1', -50, 0],
      ],
    ],
  ])('%s: overage first, then what was taken last', (quantity, parts) => {
    const decided = correction(quantity);
    expect(decided).toMatchObject({
      kind: 'recorded',
      event: { parts: parts.map(([sourceId, part, over]) => ({ sourceId, quantity: part, overage: over })) },
      change: { corrected: [{ eventId: first.event.eventId, by: -quantity }] },
    });
  });

  it('in all never more than was taken', () => {
    expect(correction(-231)).toMatchObject({ code: 'correction_too_large' });
    const known = { ...first.event, corrected: 200 };
    const again = aUse({ quantity: -31, corrects: known.eventId });
    expect(decide(first.account, again, { corrected: known })).toMatchObject({
      code: 'correction_too_large',
    });
    expect(decide(first.account, { ...again, quantity: -30 }, { corrected: known })).toMatchObject({
      event: { parts: [{ sourceId: 'sub_1', quantity: -30 }] },
    });
  });

  it('not of another user or feature, of no event, of a correction', () => {
    const command = aUse({ quantity: -1, corrects: first.event.eventId });
    expect(decide(first.account, command)).toMatchObject({ code: 'event_not_found' });
    for (const other of [{ userId: 'v' }, { featureCode: 'g' }])
      expect(decide(first.account, command, { corrected: { ...first.event, ...other } })).toMatchObject({
        code: 'event_not_found',
      });
    const corrected = { ...first.event, corrects: 'x', quantity: -5 };
    expect(decide(first.account, command, { corrected })).toMatchObject({ code: 'correction_too_large' });
  });

  it('a negative quantity without one', () => {
    expect(decide(first.account, aUse({ quantity: -1 }))).toMatchObject({ code: 'invalid_request' });
  });

  it('gives back to a bucket that has ended as well', () => {
    const next = later(first.account, { ...scene, now: '2026-05-10' });
    const given = after(next, aUse({ quantity: -230, corrects: first.event.eventId }), first.event);
    expect(given.state.buckets.map((one) => [one.used, one.overage])).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });
});
