import { aGrant, aPayment } from '../entitlements/sources.test-support.ts';
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
import type { Account } from './account.ts';

const april: [string, string] = ['2026-04-10', '2026-05-10'];
const now = '2026-04-20';
const plan = (settings = metered(), fields: Parameters<typeof subscriptionOf>[2] = {}): Scene => ({
  subscriptions: [subscriptionOf(settings, april, fields)],
  now,
});
const pack = metered({ period: 'once' });

describe('enforce and record: so much used, then so much asked for', () => {
  const overage = (limit: number | null) => metered({ overage: 'allow', overage_limit: limit });
  it.each<
    [string, Scene, number, number, string, { used: number; overage: number; remaining: number | null }]
  >([
    ['within', plan(), 0, 100, 'within_allowance', { used: 100, overage: 0, remaining: 0 }],
    ['one too many', plan(), 0, 101, 'insufficient_balance', { used: 101, overage: 1, remaining: 0 }],
    ['nothing left', plan(), 100, 1, 'insufficient_balance', { used: 101, overage: 1, remaining: 0 }],
    ['overage', plan(overage(null)), 90, 20, 'overage_allowed', { used: 110, overage: 10, remaining: 0 }],
    [
      'overage up to its limit',
      plan(overage(10)),
      90,
      20,
      'overage_allowed',
      { used: 110, overage: 10, remaining: 0 },
    ],
    [
      'overage beyond its limit',
      plan(overage(9)),
      90,
      20,
      'insufficient_balance',
      { used: 110, overage: 10, remaining: 0 },
    ],
    [
      'unlimited',
      plan(metered({ allowance: null })),
      0,
      1e9,
      'unlimited',
      { used: 1e9, overage: 0, remaining: null },
    ],
    ['not entitled', { now }, 0, 1, 'not_entitled', { used: 1, overage: 1, remaining: 0 }],
    [
      'an allowance of none',
      plan(metered({ allowance: 0 })),
      0,
      1,
      'insufficient_balance',
      { used: 1, overage: 1, remaining: 0 },
    ],
    [
      'over several buckets',
      { ...plan(), purchases: [packOf(pack, { paid: '2026-04-01' })] },
      90,
      110,
      'within_allowance',
      { used: 200, overage: 0, remaining: 0 },
    ],
  ])('%s', (_what, scene, first, quantity, reason, recorded) => {
    const account = first === 0 ? accountOf(scene) : after(accountOf(scene), aUse({ quantity: first }));
    const isAllowed = !['insufficient_balance', 'not_entitled'].includes(reason);
    const enforced = decide(account, aUse({ quantity }));
    expect(enforced).toMatchObject(
      isAllowed ? { kind: 'recorded', event: { allowed: true, reason } } : { kind: 'denied', reason },
    );
    const anyway = eventOf(account, aUse({ quantity, mode: 'record' }));
    expect(anyway.event).toMatchObject({ allowed: isAllowed, reason, quantity });
    expect(balanceOf(anyway.account)).toMatchObject(recorded);
  });

  it('counts what neither an allowance nor allowed overage covered', () => {
    const uncovered = (scene: Scene, quantity: number) => {
      const decided = decide(accountOf(scene), aUse({ quantity, mode: 'record' }));
      return decided.kind === 'recorded' ? decided.change.uncovered : null;
    };
    expect(uncovered(plan(), 100)).toBe(0);
    expect(uncovered(plan(), 130)).toBe(30);
    expect(uncovered(plan(overage(10)), 130)).toBe(20);
    expect(uncovered(plan(overage(null)), 130)).toBe(0);
    expect(uncovered({ now }, 7)).toBe(7);
  });

  it('a downgrade below what is used: refused, usage kept, nothing negative', () => {
    const used = after(accountOf(plan()), aUse({ quantity: 80 }));
    const less = later(used, plan(metered({ allowance: 10, overage: 'allow', overage_limit: 5 })));
    expect(decide(less, aUse())).toMatchObject({ kind: 'denied', reason: 'insufficient_balance' });
    expect(balanceOf(less)).toMatchObject({
      granted: 10,
      used: 80,
      remaining: 0,
      overage: 0,
      overage_limit: 5,
    });
  });

  it('a refund withdraws the bucket, what was used stays used', () => {
    const bought = packOf(pack, { paid: '2026-04-01' });
    const used = after(accountOf({ purchases: [bought], now }), aUse({ quantity: 30 }));
    const refunded = later(used, {
      purchases: [{ ...bought, payment: aPayment({ amountRefunded: 1000 }) }],
      now,
    });
    expect(decide(refunded, aUse())).toMatchObject({ kind: 'denied', reason: 'not_entitled' });
    expect(balanceOf(later(refunded, { purchases: [bought], now }))).toMatchObject({
      used: 30,
      remaining: 70,
    });
  });

  it('a quantity whose sum could not be counted exactly is refused', () => {
    const account = accountOf(plan(metered({ allowance: null })));
    const used = after(account, aUse({ quantity: 1 }));
    const [bucket] = used.state.buckets;
    if (bucket === undefined) throw new Error('no bucket');
    const state = { ...used.state, buckets: [{ ...bucket, used: Number.MAX_SAFE_INTEGER - 5 }] };
    expect(decide({ ...used, state }, aUse({ quantity: 6 }))).toMatchObject({ code: 'invalid_request' });
  });
});

describe('burnt first', () => {
  const ended = (id: string, validTo: string) =>
    aGrant({ id, validFrom: at('2026-04-01'), validTo: at(validTo), amount: 10 });
  const bucketsAfter = (scene: Scene, quantity: number) =>
    eventOf(accountOf(scene), aUse({ quantity })).event.parts.map(
      (part) => `${part.sourceId} ${part.quantity}`,
    );
  it.each<[string, Scene, number, string[]]>([
    [
      'what ends soonest',
      { grants: [ended('a', '2026-06-01'), ended('b', '2026-05-01')], now },
      12,
      ['b 10', 'a 2'],
    ],
    [
      'no end last',
      { grants: [aGrant({ id: 'a', validFrom: 0, amount: 10 }), ended('b', '2026-05-01')], now },
      12,
      ['b 10', 'a 2'],
    ],
    [
      'of those that end together: default, subscription, purchase, manual',
      {
        grants: [aGrant({ id: 'grant', validFrom: at('2026-04-01'), validTo: at('2026-05-01'), amount: 1 })],
        purchases: [
          packOf(metered({ period: 'once', allowance: 1 }), { id: 'pack', paid: '2026-04-01', days: 30 }),
        ],
        subscriptions: [
          subscriptionOf(metered({ allowance: 1 }), ['2026-04-01', '2026-05-01'], { id: 'sub' }),
        ],
        defaults: [{ productId: 'free', featureCodes: ['f'], features: { f: metered({ allowance: 1 }) } }],
        now,
      },
      4,
      ['free 1', 'sub 1', 'pack 1', 'grant 1'],
    ],
    [
      'a subscription that is set to end within its period, by that end',
      {
        ...plan(metered({ allowance: 1 }), { cancelAt: at('2026-04-25') }),
        grants: [ended('grant', '2026-05-01')],
      },
      2,
      ['sub_1 1', 'grant 1'],
    ],
    [
      'in a chain the earlier payment',
      {
        purchases: [
          packOf(metered({ period: 'once', allowance: 1 }), { id: 'a', paid: '2026-04-05', days: 30 }),
          packOf(metered({ period: 'once', allowance: 1 }), { id: 'b', paid: '2026-04-04', days: 30 }),
        ],
        now,
      },
      2,
      ['b 1', 'a 1'],
    ],
    [
      'then by id',
      { grants: [ended('b', '2026-05-01'), ended('a', '2026-05-01')], now },
      12,
      ['a 10', 'b 2'],
    ],
    [
      'while one is unlimited, no other',
      { ...plan(), grants: [aGrant({ validFrom: 0, amount: null })] },
      7,
      ['grant_1 7'],
    ],
  ])('%s', (_what, scene, quantity, parts) => {
    expect(bucketsAfter(scene, quantity)).toEqual(parts);
  });

  it('of two buckets that end together what was rolled over goes first', () => {
    const rolling = metered({ allowance: 10, rollover: { periods: 1 } });
    const sub = (id: string, settings = rolling) =>
      subscriptionOf(settings, ['2026-05-10', '2026-06-10'], {
        id,
        startDate: at('2026-04-10'),
        item: { firstPeriodStart: at('2026-04-10') },
      });
    const scene = { subscriptions: [sub('a', metered({ allowance: 10 })), sub('b')], now: '2026-05-20' };
    expect(bucketsAfter(scene, 25)).toEqual(['b 10', 'a 10', 'b 5']);
  });

  it('overage belongs to the last bucket that allows it', () => {
    const scene = {
      ...plan(metered({ allowance: 1, overage: 'allow' })),
      grants: [aGrant({ validFrom: 0, amount: 1 })],
    };
    const { event } = eventOf(accountOf(scene), aUse({ quantity: 5 }));
    expect(event.parts).toMatchObject([
      { sourceId: 'sub_1', quantity: 1, overage: 0 },
      { sourceId: 'grant_1', quantity: 1, overage: 0 },
      { sourceId: 'sub_1', quantity: 3, overage: 3 },
    ]);
  });
});

describe('event ids', () => {
  it('again: what was decided, whatever holds by now; another body: a conflict', () => {
    const command = aUse({ quantity: 100, properties: { a: 1, b: [2] } });
    const { account, event } = eventOf(accountOf(plan()), command);
    const same = { ...command, properties: { b: [2], a: 1 } };
    expect(decide(account, same, { same: event })).toMatchObject({
      kind: 'duplicate',
      event: { allowed: true },
    });
    for (const other of [
      { quantity: 99 },
      { mode: 'record' as const },
      { properties: null },
      { timestamp: at(now) },
    ])
      expect(decide(account, { ...command, ...other }, { same: event })).toMatchObject({
        code: 'event_conflict',
      });
    const otherUser = { ...account, userId: 'v' };
    expect(decide(otherUser, command, { same: event })).toMatchObject({ code: 'event_conflict' });
  });
});

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
  ])('%s', (_what, mode, timestamp, scene, parts) => {
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

describe('adjusting', () => {
  const adjust = (account: Account, quantity: number) =>
    decide(account, { kind: 'adjust', eventId: 'adj', quantity, reason: 'a promise' });
  const used = after(accountOf(plan()), aUse({ quantity: 30 }));

  it('positive is used in any case, negative gives back', () => {
    expect(adjust(used, 100)).toMatchObject({ event: { kind: 'adjustment', allowed: false, quantity: 100 } });
    expect(adjust(used, -30)).toMatchObject({ event: { parts: [{ quantity: -30 }] } });
    expect(adjust(used, -31)).toMatchObject({ code: 'correction_too_large' });
  });
});

describe('what cannot be taken', () => {
  it.each(['boolean', 'limit'] as const)('%s', (kind) => {
    const account = accountOf({ ...plan(), feature: { kind, counted: false, thresholds: [] } });
    expect(decide(account, aUse())).toMatchObject({ code: 'feature_not_metered' });
  });
});
