import { aGrant } from '../entitlements/sources.test-support.ts';
import { accountOf, at, aUse, eventOf, metered, packOf, subscriptionOf } from './usage.test-support.ts';
import type { Scene } from './usage.test-support.ts';

const april: [string, string] = ['2026-04-10', '2026-05-10'];
const now = '2026-04-20';
const plan = (settings = metered(), fields: Parameters<typeof subscriptionOf>[2] = {}): Scene => ({
  subscriptions: [subscriptionOf(settings, april, fields)],
  now,
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
