import { aPayment } from '../entitlements/sources.test-support.ts';
import { balanceOf } from './balance.ts';
import {
  accountOf,
  after,
  at,
  aUse,
  decide,
  eventOf,
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
  ])('%s', (...[_what, scene, first, quantity, reason, recorded]) => {
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
