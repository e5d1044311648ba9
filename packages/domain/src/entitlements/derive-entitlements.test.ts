import * as fc from 'fast-check';
import { dayMs } from '../time.ts';
import { deriveEntitlements } from './derive-entitlements.ts';
import {
  aGrant,
  allowanceMs,
  anItem,
  aPayment,
  aPurchase,
  aSubscription,
  contextOf,
  now,
  periodEnd,
} from './sources.test-support.ts';
import type { Sources } from './sources.ts';

const derive = (sources: Partial<Sources>, at = now) =>
  deriveEntitlements({ subscriptions: [], purchases: [], grants: [], ...sources }, contextOf({}, at));

const renewed = periodEnd + allowanceMs;

describe('which source is listed', () => {
  it.each<[string, Partial<Sources>, string]>([
    [
      'the one that lasts longest',
      { subscriptions: [aSubscription()], grants: [aGrant({ validTo: renewed + 1 })] },
      'grant_1',
    ],
    ['no end beats any end', { subscriptions: [aSubscription()], purchases: [aPurchase()] }, 'pi_1'],
    [
      'a tie: subscription',
      { subscriptions: [aSubscription()], grants: [aGrant({ validTo: renewed })] },
      'sub_1',
    ],
    ['a tie: purchase before grant', { purchases: [aPurchase()], grants: [aGrant()] }, 'pi_1'],
    ['a tie of one kind: by id', { grants: [aGrant({ id: 'b' }), aGrant({ id: 'a' })] }, 'a'],
    [
      'one that is not in force never',
      {
        purchases: [aPurchase({ payment: aPayment({ amountRefunded: 1000 }) })],
        subscriptions: [aSubscription()],
      },
      'sub_1',
    ],
  ])('%s', (_what, sources, sourceId) => {
    expect(derive(sources).entitlements).toMatchObject([{ featureCode: 'f', sourceId }]);
  });

  it('lists nothing for nothing', () => {
    expect(derive({})).toEqual({ entitlements: [], validUntil: null, evaluations: [] });
  });

  it('sorts by feature code and lists each once', () => {
    const items = [anItem({ featureCodes: ['b', 'a', 'b'] }), anItem({ featureCodes: ['a', 'Z'] })];
    const { entitlements } = derive({ subscriptions: [aSubscription({ items })] });
    expect(entitlements.map(({ featureCode }) => featureCode)).toEqual(['Z', 'a', 'b']);
  });

  it('keeps what another source still grants when one is refunded', () => {
    const refunded = aPurchase({ payment: aPayment({ amountRefunded: 1000 }) });
    expect(derive({ purchases: [refunded, aPurchase({ id: 'pi_2' })] }).entitlements).toMatchObject([
      { sourceId: 'pi_2' },
    ]);
  });
});

describe('quantity and period', () => {
  it('sums the items of the listed source that carry the feature, and no others', () => {
    const items = [
      anItem({ stripePriceId: 'p1', quantity: 2 }),
      anItem({ stripePriceId: 'p2', quantity: 3, featureCodes: ['f', 'g'] }),
      anItem({ stripePriceId: 'p3', quantity: 5, featureCodes: ['g'] }),
    ];
    const other = aSubscription({ id: 'sub_2', items: [anItem({ quantity: 7 })] });
    const { entitlements } = derive({ subscriptions: [aSubscription({ items }), other] });
    expect(entitlements).toMatchObject([
      { featureCode: 'f', sourceId: 'sub_1', quantity: 5 },
      { featureCode: 'g', sourceId: 'sub_1', quantity: 8 },
    ]);
  });

  it('counts no item that is over', () => {
    const items = [anItem({ quantity: 2 }), anItem({ quantity: 3, currentPeriodEnd: now - allowanceMs })];
    expect(derive({ subscriptions: [aSubscription({ items })] }).entitlements).toMatchObject([
      { quantity: 2 },
    ]);
  });

  it('takes the period of the item that lasts longest, also where all end together', () => {
    const long = anItem({ stripePriceId: 'year', currentPeriodEnd: periodEnd + 300 * dayMs });
    for (const items of [
      [anItem(), long],
      [long, anItem()],
    ])
      for (const cancelAt of [null, now + dayMs])
        expect(derive({ subscriptions: [aSubscription({ items, cancelAt })] }).entitlements).toMatchObject([
          { currentPeriodEnd: long.currentPeriodEnd },
        ]);
  });
});

describe('when the answer changes by itself', () => {
  it.each<[string, Partial<Sources>, number | null]>([
    ['never', { grants: [aGrant()] }, null],
    ['at an end', { subscriptions: [aSubscription()] }, renewed],
    [
      'at the nearest of two',
      { subscriptions: [aSubscription()], grants: [aGrant({ validTo: now + 5 })] },
      now + 5,
    ],
    ['at a start', { grants: [aGrant({ validFrom: now + 7, validTo: now + 9 })] }, now + 7],
    ['not at the end of what is over', { grants: [aGrant({ validTo: now - 1 })] }, null],
    [
      'not at the end of what is revoked',
      { grants: [aGrant({ validTo: now + 5, revokedAt: now - 1 })] },
      null,
    ],
    [
      'not for what gives no feature',
      { subscriptions: [aSubscription({ items: [anItem({ featureCodes: null })] })] },
      null,
    ],
    [
      'at the end of grace',
      { subscriptions: [aSubscription({ status: 'past_due', pastDueSince: now })] },
      now + 7 * dayMs,
    ],
    [
      'at the end of a source that is not listed: quantities and listing may change',
      { purchases: [aPurchase()], subscriptions: [aSubscription()] },
      renewed,
    ],
  ])('%s', (_what, sources, expected) => {
    expect(derive(sources).validUntil).toBe(expected);
  });

  it('stays the same until then, whatever the sources are', () => {
    const at = fc.integer({ min: -40, max: 40 }).map((days) => now + days * dayMs);
    const orNever = fc.option(at, { nil: null });
    const status = fc.constantFrom('active', 'trialing', 'past_due', 'canceled', 'unpaid', 'paused', null);
    const subscriptions = fc.array(
      fc
        .record({
          status,
          cancelAt: orNever,
          cancelAtPeriodEnd: fc.boolean(),
          pastDueSince: orNever,
          end: orNever,
        })
        .map(({ end, ...fields }) =>
          aSubscription({ ...fields, items: [anItem({ currentPeriodEnd: end })] }),
        ),
      { maxLength: 3 },
    );
    const grants = fc.array(
      fc.record({ validFrom: at, validTo: orNever }).map((fields) => aGrant(fields)),
      { maxLength: 3 },
    );
    fc.assert(
      fc.property(subscriptions, grants, fc.double({ min: 0, max: 1, noNaN: true }), (subs, given, share) => {
        const first = derive({ subscriptions: subs, grants: given });
        const end = first.validUntil ?? now + 100 * dayMs;
        expect(end).toBeGreaterThan(now);
        const later = derive(
          { subscriptions: subs, grants: given },
          Math.floor(now + share * (end - 1 - now)),
        );
        expect(later.entitlements).toEqual(first.entitlements);
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 500) },
    );
  });

  it('does not depend on the order of rows', () => {
    const pool = [
      aSubscription(),
      aSubscription({ id: 'sub_2', cancelAt: now + dayMs }),
      aSubscription({ id: 'sub_3', status: 'past_due', pastDueSince: now }),
      aSubscription({
        id: 'sub_4',
        items: [anItem(), anItem({ stripePriceId: 'p2', featureCodes: ['g', 'f'] })],
      }),
    ];
    const whole = derive({ subscriptions: pool }).entitlements;
    fc.assert(
      fc.property(fc.shuffledSubarray(pool, { minLength: pool.length }), (shuffled) => {
        const turned = shuffled.map((one) => ({ ...one, items: one.items.toReversed() }));
        expect(derive({ subscriptions: turned }).entitlements).toEqual(whole);
      }),
    );
  });
});
