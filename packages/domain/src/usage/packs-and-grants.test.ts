import { aBoughtItem, aGrant, aPayment, aPurchase } from '../entitlements/sources.test-support.ts';
import { balanceOf } from './balance.ts';
import { accountOf, at, metered, packOf, seen } from './usage.test-support.ts';
import type { Scene } from './usage.test-support.ts';

const monthly = metered({ period: 'month' });
const inApril = '2026-04-20';

describe('which buckets packs, grants and default products make', () => {
  it.each<[string, Scene, string[]]>([
    [
      'a pack, bought three times over',
      { purchases: [packOf(metered({ period: 'once' }), { paid: '2026-04-01', quantity: 3 })], now: inApril },
      ['pi_1 2026-04-01 … 300'],
    ],
    [
      'packs of one product follow each other: all are in force, and end together',
      {
        purchases: [
          packOf(metered({ period: 'once' }), { id: 'pi_2', paid: '2026-04-05', days: 30 }),
          packOf(metered({ period: 'once' }), { id: 'pi_1', paid: '2026-04-11', days: 30 }),
        ],
        now: inApril,
      },
      ['pi_2 2026-04-05 2026-06-04 100', 'pi_1 2026-04-11 2026-06-04 100'],
    ],
    [
      'a refund takes its days out',
      {
        purchases: [
          packOf(metered({ period: 'once' }), { id: 'pi_1', paid: '2026-04-05', days: 30 }),
          {
            ...packOf(metered({ period: 'once' }), { id: 'pi_2', paid: '2026-04-11', days: 30 }),
            payment: aPayment({ amountRefunded: 1000 }),
          },
        ],
        now: inApril,
      },
      ['pi_1 2026-04-05 2026-05-05 100'],
    ],
    [
      'an open dispute withdraws the pack',
      {
        purchases: [
          aPurchase({
            paidAt: at('2026-04-05'),
            payment: aPayment({ disputeStatus: 'needs_response' }),
            items: [aBoughtItem({ features: { f: metered({ period: 'once' }) } })],
          }),
        ],
        now: inApril,
      },
      [],
    ],
    [
      'a purchase with months: from its payment',
      { purchases: [packOf(monthly, { paid: '2026-01-31', quantity: 2 })], now: '2026-03-01' },
      ['pi_1 2026-02-28 2026-03-31 100'],
    ],
    [
      'a grant: once, until it ends',
      {
        grants: [aGrant({ validFrom: at('2026-04-01'), validTo: at('2026-06-01'), amount: 25 })],
        now: inApril,
      },
      ['grant_1 2026-04-01 2026-06-01 25'],
    ],
    [
      'a grant without end or limit',
      { grants: [aGrant({ validFrom: at('2026-04-01'), amount: null })], now: inApril },
      ['grant_1 2026-04-01 … unlimited'],
    ],
    [
      'a grant that was revoked',
      { grants: [aGrant({ amount: 5, validFrom: 0, revokedAt: at('2026-04-01') })], now: inApril },
      [],
    ],
    [
      'a default product: the calendar’s month',
      {
        defaults: [{ productId: 'free', featureCodes: ['f'], features: { f: metered({ allowance: 10 }) } }],
        now: inApril,
      },
      ['free 2026-04-01 2026-05-01 10'],
    ],
  ])('%s', (_what, scene, expected) => {
    expect(seen(accountOf(scene))).toEqual(expected);
  });
});

test('months of two items of one purchase are one bucket, which lasts as long as one of the items does', () => {
  const items = [
    ['a', 20],
    ['b', 365],
  ] as const;
  const purchase = aPurchase({
    paidAt: at('2026-04-01'),
    items: items.map(([product, accessDays]) =>
      aBoughtItem({
        stripePriceId: `price_${product}`,
        productId: product,
        accessDays,
        features: { f: monthly },
      }),
    ),
  });
  for (const [now, granted] of [
    ['2026-04-20', 200],
    ['2026-04-22', 100],
  ] as const)
    expect(balanceOf(accountOf({ purchases: [purchase], now }))).toMatchObject({
      granted,
      resets_at: '2026-05-01T00:00:00.000Z',
      next_expiry: { at: '2026-05-01T00:00:00.000Z', amount: granted },
    });
});
