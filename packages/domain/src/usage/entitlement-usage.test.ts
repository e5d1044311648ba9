import { aSubscription } from '../entitlements/sources.test-support.ts';
import { entitlementUsageOf } from './entitlement-usage.ts';
import { slotsOf } from './usage-slots.ts';
import {
  accountOf,
  aLimit,
  at,
  aUse,
  eventOf,
  itemOf,
  metered,
  seats,
  subscriptionOf,
} from './usage.test-support.ts';
import type { Scene } from './usage.test-support.ts';

const april: [string, string] = ['2026-04-10', '2026-05-10'];
const now = '2026-04-20';
const listed = { source: 'subscription', sourceId: 'sub_1' };

test.each<[string, Scene, object]>([
  [
    'metered: the period of the listed source',
    {
      subscriptions: [subscriptionOf(metered(), april), subscriptionOf(metered(), april, { id: 'sub_2' })],
      now,
    },
    {
      kind: 'metered',
      allowance: 100,
      period_start: '2026-04-10T00:00:00.000Z',
      period_end: '2026-05-10T00:00:00.000Z',
    },
  ],
  [
    'of several periods the one that ends soonest',
    {
      subscriptions: [
        aSubscription({
          items: [itemOf(metered(), april), itemOf(metered({ period: 'day', allowance: 3 }), april)],
        }),
      ],
      now,
    },
    {
      kind: 'metered',
      allowance: 3,
      period_start: '2026-04-20T00:00:00.000Z',
      period_end: '2026-04-21T00:00:00.000Z',
    },
  ],
  [
    'a limit of all sources',
    {
      subscriptions: [
        subscriptionOf(aLimit({ value: 1 }), april),
        subscriptionOf(aLimit({ add_on: true }), april, { id: 'sub_2' }),
      ],
      now,
      feature: seats,
    },
    { kind: 'limit', limit: 10, value: 1 },
  ],
  [
    'boolean',
    { subscriptions: [aSubscription()], now, feature: { kind: 'boolean', counted: false, thresholds: [] } },
    { kind: 'boolean' },
  ],
])('an entitlement says: %s', (_what, scene, expected) => {
  expect(entitlementUsageOf(accountOf(scene).offer, listed)).toEqual(expected);
});

test('the series has usage where it happened, by quarters of an hour', () => {
  const account = accountOf({ subscriptions: [subscriptionOf(metered(), april)], now: '2026-04-20T12:50Z' });
  const first = eventOf(
    account,
    aUse({ quantity: 90, mode: 'record', timestamp: at('2026-04-20T12:44:59Z') }),
  );
  const second = eventOf(first.account, aUse({ quantity: 30, mode: 'record' }));
  expect(slotsOf([first.event, second.event, first.event])).toEqual([
    { start: at('2026-04-20T12:30Z'), quantity: 180, overage: 0 },
    { start: at('2026-04-20T12:45Z'), quantity: 30, overage: 20 },
  ]);
});
