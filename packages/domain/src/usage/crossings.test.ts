import type { Account } from './account.ts';
import { splitBuckets } from './change.ts';
import type { Feature } from './features.ts';
import {
  accountOf,
  after,
  aLimit,
  aUse,
  decide,
  eventOf,
  later,
  metered,
  packOf,
  subscriptionOf,
} from './usage.test-support.ts';
import type { Scene } from './usage.test-support.ts';

const april: [string, string] = ['2026-04-10', '2026-05-10'];
const now = '2026-04-20';
const pack = metered({ period: 'once' });
const plan = (settings = metered()): Scene => ({ subscriptions: [subscriptionOf(settings, april)], now });

describe('thresholds', () => {
  const watched = (thresholds: number[], settings = metered()): Scene => ({
    ...plan(settings),
    feature: { kind: 'metered', counted: false, thresholds },
  });
  const told = (account: Account, command: Parameters<typeof decide>[1]) => {
    const decided = decide(account, command);
    return decided.kind === 'recorded' ? decided.change.crossings.map((one) => one.threshold) : [];
  };

  it.each<[string, number[], number, number, (number | null)[]]>([
    ['below', [80], 0, 79, []],
    ['at', [80], 0, 80, [80]],
    ['several at once', [50, 80, 100], 0, 90, [50, 80]],
    ['the limit as well', [100], 50, 50, [100, null]],
    ['not again', [80], 80, 5, []],
    ['beyond what is granted', [100, 150], 100, 60, [150]],
  ])('%s', (...[_what, thresholds, first, quantity, expected]) => {
    const account = accountOf(watched(thresholds));
    const before = first === 0 ? account : after(account, aUse({ quantity: first }));
    expect(told(before, aUse({ quantity, mode: 'record' }))).toEqual(expected);
  });

  it('one row per bucket and threshold, also after a correction; the next bucket has its own', () => {
    const { account, event } = eventOf(accountOf(watched([80])), aUse({ quantity: 100 }));
    const back = after(account, aUse({ quantity: -50, corrects: event.eventId }), event);
    expect(told(back, aUse({ quantity: 50 }))).toEqual([]);
    expect(told(later(back, { ...watched([80]), now: '2026-05-10' }), aUse({ quantity: 100 }))).toEqual([
      80,
      null,
    ]);
  });

  it('none where the allowance is unlimited or none', () => {
    for (const allowance of [null, 0])
      expect(told(accountOf(watched([1], metered({ allowance }))), aUse({ mode: 'record' }))).toEqual([]);
  });

  it('the limit is told of the bucket that was emptied last', () => {
    const scene = { ...watched([]), purchases: [packOf(pack, { paid: '2026-04-01' })] };
    const account = after(accountOf(scene), aUse({ quantity: 100 }));
    const decided = decide(account, aUse({ quantity: 100 }));
    expect(decided).toMatchObject({
      change: {
        crossings: [{ threshold: null, sourceId: 'pi_1', used: 100, granted: 100, periodEnd: null }],
      },
    });
  });
});

describe('thresholds of a counted limit', () => {
  const counted: Feature = { kind: 'limit', counted: true, thresholds: [80, 100] };
  const team: Scene = { subscriptions: [subscriptionOf(aLimit(), april)], now, feature: counted };
  const told = (account: Account, quantity: number) => {
    const decided = decide(account, aUse({ quantity, mode: 'record' }));
    return decided.kind === 'recorded' ? decided.change.crossings.map((one) => one.threshold) : [];
  };

  it('each time that the level comes to one from below', () => {
    const three = after(accountOf(team), aUse({ quantity: 3 }));
    expect(told(three, 1)).toEqual([80]);
    expect(told(three, 2)).toEqual([80, 100, null]);
    const five = after(three, aUse({ quantity: 2 }));
    expect(told(five, 1)).toEqual([]);
    expect(told(after(five, aUse({ quantity: -2 })), 1)).toEqual([80]);
  });
});

describe('which buckets stay in the row', () => {
  const used = after(accountOf(plan()), aUse({ quantity: 30 }));
  it.each<[string, Scene, number, number]>([
    ['the current one', plan(), 1, 0],
    ['one that has just ended', { ...plan(), now: '2026-05-10' }, 1, 0],
    ['not one that ended five minutes ago', { ...plan(), now: '2026-05-10T00:05:00Z' }, 0, 1],
    [
      'one whose rest rolls over',
      { ...plan(metered({ rollover: { periods: 1 } })), now: '2026-05-10' },
      1,
      0,
    ],
    ['one whose source is gone, until its end', { now }, 1, 0],
  ])('%s', (_what, scene, live, ended) => {
    const split = splitBuckets(later(used, scene));
    expect([split.live.length, split.ended.length]).toEqual([live, ended]);
  });
});

test('who decides a moment before the end, after somebody else did after it, finds what was taken', () => {
  const scene = plan(metered({ allowance: 30 }));
  const empty = after(accountOf({ ...scene, now: '2026-05-09T23:59:58Z' }), aUse({ quantity: 30 }));
  const renewed = after(later(empty, { ...scene, now: '2026-05-10T00:00:00Z' }), aUse());
  const stored = { ...renewed, state: { ...renewed.state, buckets: splitBuckets(renewed).live } };
  const behind = later(stored, { ...scene, now: '2026-05-09T23:59:59Z' });
  expect(decide(behind, aUse())).toMatchObject({ kind: 'denied' });
});
