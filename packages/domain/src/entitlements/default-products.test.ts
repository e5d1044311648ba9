import * as fc from 'fast-check';
import { dayMs } from '../time.ts';
import { deriveEntitlements } from './derive-entitlements.ts';
import { defaultsInForce } from './evaluate-defaults.ts';
import type { DefaultSource, Sources } from './sources.ts';
import {
  aBoughtItem,
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

const free: DefaultSource = { productId: 'free', group: 'plans', featureCodes: ['f', 'g'], features: {} };

const derive = (sources: Partial<Sources>, at = now) =>
  deriveEntitlements(
    { subscriptions: [], purchases: [], grants: [], defaults: [free], ...sources },
    contextOf({}, at),
  );

/** Which source gives each feature. */
const givenBy = (sources: Partial<Sources>, at = now) =>
  Object.fromEntries(derive(sources, at).entitlements.map((one) => [one.featureCode, one.sourceId]));

const plan = (fields: Parameters<typeof anItem>[0] = {}) =>
  anItem({ productId: 'pro', group: 'plans', featureCodes: ['f'], ...fields });
const onPlan = (fields: Parameters<typeof aSubscription>[0] = {}) =>
  aSubscription({ items: [plan()], ...fields });

test('somebody who has nothing has it, with no end', () => {
  expect(derive({})).toMatchObject({
    entitlements: [
      {
        featureCode: 'f',
        source: 'default',
        sourceId: 'free',
        status: 'default',
        validFrom: null,
        validTo: null,
        currentPeriodEnd: null,
        quantity: 1,
        confirmed: true,
      },
      { featureCode: 'g', source: 'default', sourceId: 'free' },
    ],
    validUntil: null,
    evaluations: [{ source: 'default', inForce: true, reason: 'in_force' }],
  });
});

test.each<[string, Partial<Sources>, Record<string, string>]>([
  ['a subscription of its group', { subscriptions: [onPlan()] }, { f: 'sub_1' }],
  [
    'one of its group that gives nothing',
    { subscriptions: [onPlan({ items: [plan({ featureCodes: [] })] })] },
    {},
  ],
  [
    'a purchase of its group',
    { purchases: [aPurchase({ items: [aBoughtItem({ group: 'plans', featureCodes: ['x'] })] })] },
    { x: 'pi_1' },
  ],
  [
    'a subscription of another group: beside it, before it in what both give',
    { subscriptions: [onPlan({ items: [plan({ group: 'add_ons' })] })] },
    { f: 'sub_1', g: 'free' },
  ],
  [
    'a subscription without a group',
    { subscriptions: [onPlan({ items: [plan({ group: null })] })] },
    { f: 'sub_1', g: 'free' },
  ],
  [
    'a price that is not mapped',
    { subscriptions: [onPlan({ items: [anItem({ featureCodes: null })] })] },
    { f: 'free', g: 'free' },
  ],
  ['one that has ended', { subscriptions: [onPlan({ status: 'canceled' })] }, { f: 'free', g: 'free' }],
  ['one that is not paid', { subscriptions: [onPlan({ status: 'incomplete' })] }, { f: 'free', g: 'free' }],
  [
    'a purchase that was refunded',
    {
      purchases: [
        aPurchase({
          items: [aBoughtItem({ group: 'plans' })],
          payment: aPayment({ amountRefunded: 1000 }),
        }),
      ],
    },
    { f: 'free', g: 'free' },
  ],
  ['a grant: it goes first, and takes nobody’s place', { grants: [aGrant()] }, { f: 'grant_1', g: 'free' }],
  ['a grant that ends', { grants: [aGrant({ validTo: now + 1 })] }, { f: 'grant_1', g: 'free' }],
])('with %s', (_what, sources, expected) => {
  expect(givenBy(sources)).toEqual(expected);
});

test.each<[string, DefaultSource, Partial<Sources>, string[]]>([
  [
    'only the product itself takes its place',
    { ...free, group: null },
    { subscriptions: [onPlan()] },
    ['free'],
  ],
  [
    'which it does',
    { ...free, group: null },
    { subscriptions: [onPlan({ items: [plan({ productId: 'free', group: null })] })] },
    [],
  ],
])('without a group: %s', (_what, product, sources, expected) => {
  const { evaluations } = derive({ ...sources, defaults: [product] });
  expect(defaultsInForce(evaluations).map(({ productId }) => productId)).toEqual(expected);
});

test('its explanation says why it is not in force', () => {
  expect(derive({ subscriptions: [onPlan()] }).evaluations).toMatchObject([
    { sourceId: 'sub_1', inForce: true },
    {
      sourceId: 'free',
      source: 'default',
      inForce: false,
      reason: 'group_occupied',
      featureCodes: ['f', 'g'],
    },
  ]);
});

test.each([
  ['a plan', plan()],
  ['a plan that gives nothing by itself', plan({ featureCodes: [] })],
])('it is back at the moment at which %s ends, with no event', (_what, item) => {
  const sources = {
    subscriptions: [onPlan({ items: [item], cancelAt: periodEnd, cancelAtPeriodEnd: true })],
  };
  expect(derive(sources).validUntil).toBe(periodEnd);
  expect(givenBy(sources, periodEnd - 1)['g']).toBeUndefined();
  expect(givenBy(sources, periodEnd)).toEqual({ f: 'free', g: 'free' });
});

test('one that nobody heard of again gives way after the allowance for renewals', () => {
  const sources = { subscriptions: [onPlan()] };
  expect(givenBy(sources, periodEnd + allowanceMs - 1)).toEqual({ f: 'sub_1' });
  expect(givenBy(sources, periodEnd + allowanceMs)).toEqual({ f: 'free', g: 'free' });
});

test('defaults of several groups stand beside each other; of one feature the first by its id is listed', () => {
  const other = { ...free, productId: 'basis', group: 'storage', featureCodes: ['g', 's'] };
  expect(givenBy({ defaults: [free, other] })).toEqual({ f: 'free', g: 'basis', s: 'basis' });
  expect(givenBy({ defaults: [free, other], subscriptions: [onPlan()] })).toEqual({
    f: 'sub_1',
    g: 'basis',
    s: 'basis',
  });
});

test('the order of sources and products makes no difference, and nobody loses by having something', () => {
  const items = fc.record({
    group: fc.constantFrom('plans', 'add_ons', null),
    productId: fc.constantFrom('pro', 'free', 'plus'),
    featureCodes: fc.subarray(['f', 'g', 'h']),
  });
  const sources = fc.record({
    defaults: fc.shuffledSubarray([
      free,
      { ...free, productId: 'basis', group: 'add_ons', featureCodes: ['g'] },
      { ...free, productId: 'all', group: null, featureCodes: ['h'] },
    ]),
    subscriptions: fc.array(
      fc
        .tuple(items, fc.constantFrom('active' as const, 'canceled' as const), fc.nat(9))
        .map(([item, status, id]) => onPlan({ id: `sub_${id}`, status, items: [plan(item)] })),
      { maxLength: 3 },
    ),
    grants: fc.array(
      fc.nat(9).map((days) => aGrant({ id: `grant_${days}`, validTo: now + days * dayMs })),
      { maxLength: 2 },
    ),
  });
  fc.assert(
    fc.property(sources, (given) => {
      const turned = {
        defaults: given.defaults.toReversed(),
        subscriptions: given.subscriptions.toReversed(),
        grants: given.grants.toReversed(),
      };
      const listed = (one: Partial<Sources>) =>
        derive(one).entitlements.map(({ featureCode, source, sourceId }) => [featureCode, source, sourceId]);
      expect(listed(turned)).toEqual(listed(given));
      // What a default alone gives is listed only where no other source gives it.
      const { entitlements, evaluations } = derive(given);
      const byDefault = entitlements.flatMap(({ featureCode, source }) =>
        source === 'default' ? [featureCode] : [],
      );
      const others = evaluations.filter((one) => one.inForce && one.source !== 'default');
      expect(
        others.flatMap(({ featureCodes }) => featureCodes).filter((one) => byDefault.includes(one)),
      ).toEqual([]);
    }),
  );
});
