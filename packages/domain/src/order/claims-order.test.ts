import * as fc from 'fast-check';
import { noClaims, userClaim } from '../stripe/claims.ts';
import type { Claims } from '../stripe/claims.ts';
import { planOwners } from './plan-owners.ts';
import { resolveOwners } from './resolve-owner.ts';
import type { Catalog, Owned, Owner } from './resolve-owner.ts';
import { incomingOf } from './snapshots.test-support.ts';
import { stepMention, stepSnapshot } from './step-subscription.ts';
import { unknownSubscription } from './subscription-row.ts';
import type { SubscriptionRow } from './subscription-row.ts';

type Told = { kind: 'snapshot' | 'session'; claims: Claims; created: number };

const name = fc.constantFrom(null, 'ann', 'bob');
const project = fc.constantFrom(null, 'shop', 'second');

const told = fc
  .record({
    kind: fc.constantFrom('snapshot' as const, 'session' as const),
    projectId: project,
    named: name,
    hinted: name,
    created: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ kind, projectId, named, hinted, created }): Told => {
    const user = userClaim(named, kind === 'session' ? hinted : null);
    return { kind, created, claims: { projectId, ...user } };
  });

/** The claims after all that was told, in this order. Lookups find nothing: claims do not depend on them. */
function claimsAfter(all: readonly (Told & { eventId: string })[]): Claims {
  let row: SubscriptionRow = unknownSubscription('sub_1');
  for (const { kind, claims, created, eventId } of all) {
    const context = { lookup: { kind: 'unreachable' } as const, now: 10 };
    const step =
      kind === 'snapshot'
        ? stepSnapshot(row, incomingOf({ claims, created, eventId }), context)
        : stepMention(row, { customerId: null, claims, created, eventId }, context);
    if (step.kind === 'write') ({ row } = step);
  }
  return row.claims;
}

it('claims are the same in every order of snapshots and sessions', () => {
  const lives = fc.array(told, { minLength: 1, maxLength: 6 }).chain((all) => {
    const events = all.map((one, index) => ({ ...one, eventId: `evt_${index}` }));
    const whole = { minLength: events.length, maxLength: events.length };
    return fc.tuple(fc.constant(events), fc.shuffledSubarray(events, whole));
  });
  fc.assert(
    fc.property(lives, ([events, order]) => {
      expect(claimsAfter(order)).toEqual(claimsAfter(events));
    }),
    { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 3_000) },
  );
});

const user = (projectId: string, userId: string): Owner => ({ ref: 1, projectId, userId, version: 1 });
const assigned = (owner: Owner): Owned => ({ owner, source: 'assignment' });
const claimed = (projectId: string | null, userId: string | null, hint: string | null = null): Claims => ({
  projectId,
  ...userClaim(userId, hint),
});

const catalog = (...mapped: Owner[]): Catalog => ({
  mappings: new Map([['cus_1', mapped]]),
  users: [],
  projects: new Set(['shop', 'second']),
  hintQuarantines: new Set(),
  prices: [
    { projectId: 'shop', priceId: 'our_shop', stripePriceId: 'price_shop' },
    { projectId: 'second', priceId: 'our_second', stripePriceId: 'price_second' },
  ],
});

const [shopPrice, secondPrice, unknownPrice] = ['price_shop', 'price_second', 'price_unknown'];
const ann = user('shop', 'ann');
const bob = user('second', 'bob');

type Case = [
  what: string,
  given: { prices: string[]; claims?: Claims; mapped?: Owner[]; first?: Owner; others?: Owned[] },
  owners: string[],
  waits: string | null,
];

describe('whose an object is', () => {
  it.each<Case>([
    [
      'mapped in the project of the price',
      { prices: [shopPrice], mapped: [ann] },
      ['shop/ann/mapping'],
      null,
    ],
    ['mapped in another project', { prices: [secondPrice], mapped: [ann] }, [], 'price_of_other_project'],
    [
      'mapped in one of two projects',
      { prices: [shopPrice, secondPrice], mapped: [ann] },
      ['shop/ann/mapping'],
      'price_of_other_project',
    ],
    [
      'mapped in both',
      { prices: [secondPrice, shopPrice], mapped: [ann, bob] },
      ['second/bob/mapping', 'shop/ann/mapping'],
      null,
    ],
    [
      'mapped in one, claimed in the other',
      { prices: [shopPrice, secondPrice], mapped: [ann], claims: claimed('second', 'cleo') },
      ['shop/ann/mapping', 'second/cleo/metadata'],
      null,
    ],
    [
      'claimed without a project',
      { prices: [shopPrice], claims: claimed(null, 'cleo') },
      ['shop/cleo/metadata'],
      null,
    ],
    [
      'hinted in the claimed project',
      { prices: [shopPrice], claims: claimed('shop', null, 'cleo') },
      ['shop/cleo/buyer_hint'],
      null,
    ],
    [
      'hinted, and another project claimed',
      { prices: [shopPrice], claims: claimed('second', null, 'cleo') },
      [],
      'price_of_other_project',
    ],
    [
      'claimed in a project that does not exist',
      { prices: [shopPrice], claims: claimed('gone', 'cleo') },
      [],
      'unknown_project',
    ],
    [
      'an unknown price in the claimed project',
      { prices: [unknownPrice], claims: claimed('second', 'cleo') },
      ['second/cleo/metadata'],
      'unknown_price',
    ],
    [
      'an unknown price, another project claimed than the mapped one',
      { prices: [unknownPrice], claims: claimed('second', 'cleo'), mapped: [ann] },
      ['shop/ann/mapping'],
      'unknown_price',
    ],
    ['nothing known', { prices: [unknownPrice] }, [], 'unknown_customer'],
    [
      'a user, but no project',
      { prices: [unknownPrice], claims: claimed(null, 'cleo') },
      [],
      'unknown_price',
    ],
    [
      'a user, but neither project nor price',
      { prices: [], claims: claimed(null, 'cleo') },
      [],
      'unknown_project',
    ],
    [
      'assigned, against mapping and metadata',
      {
        prices: [shopPrice],
        mapped: [ann],
        claims: claimed('shop', 'cleo'),
        others: [assigned(user('shop', 'dora'))],
      },
      ['shop/dora/assignment'],
      null,
    ],
    [
      'assigned before its items are known',
      { prices: [], others: [assigned(user('second', 'dora'))] },
      ['second/dora/assignment'],
      null,
    ],
    [
      'known before, and nobody named now',
      { prices: [shopPrice], first: ann },
      ['shop/ann/buyer_hint'],
      null,
    ],
    [
      'known before in a project that has nothing in it now',
      { prices: [secondPrice], first: ann },
      [],
      'unknown_customer',
    ],
  ])('%s', (_what, { prices, claims = noClaims, mapped = [], first, others = [] }, owners, waits) => {
    const object = {
      id: 'sub_1',
      customerId: 'cus_1',
      claims,
      items: prices.map((one) => ({ stripePriceId: one })),
    };
    const known = { first: first ?? null, others };
    const found = resolveOwners(object, catalog(...mapped), known);
    expect(found.owners.map(({ owner, source }) => `${owner.projectId}/${owner.userId}/${source}`)).toEqual(
      owners,
    );
    expect(found.waits?.reason ?? null).toBe(waits);
  });

  it('an object that waits for no customer waits for itself', () => {
    const guest = { id: 'pi_1', customerId: null, claims: noClaims, items: [{ stripePriceId: shopPrice }] };
    expect(resolveOwners(guest, catalog()).waits).toEqual({ reason: 'unknown_customer', awaits: 'pi_1' });
  });

  describe('where the project accepts no hints', () => {
    const strict: Catalog = { ...catalog(), hintQuarantines: new Set(['shop']) };
    const bought = (claims: Claims, ...prices: string[]) => ({
      id: 'sub_1',
      customerId: 'cus_1',
      claims,
      items: prices.map((one) => ({ stripePriceId: one })),
    });
    const hinted = claimed(null, null, 'cleo');

    type StrictCase = [what: string, claims: Claims, prices: string[], reason: string | null];

    it.each<StrictCase>([
      ['what only a hint gives waits', hinted, [shopPrice], 'buyer_hint'],
      ['metadata counts', claimed(null, 'cleo'), [shopPrice], null],
      ['a hint in another project counts', hinted, [secondPrice], null],
      ['one of both waits', hinted, [secondPrice, shopPrice], 'buyer_hint'],
      [
        'an unknown price is waited for first',
        claimed('shop', null, 'cleo'),
        [unknownPrice],
        'unknown_price',
      ],
    ])('%s', (_what, claims, prices, reason) => {
      const { owners, waits } = resolveOwners(bought(claims, ...prices), strict);
      const awaits = reason === 'buyer_hint' ? 'cus_1' : unknownPrice;
      expect(waits).toEqual(reason === null ? null : { reason, awaits });
      expect(owners.length).toBe(prices.length);
    });

    it('what a mapped customer has counts', () => {
      const mapped = { ...strict, mappings: new Map([['cus_1', [ann]]]) };
      expect(resolveOwners(bought(hinted, shopPrice), mapped).waits).toBeNull();
    });

    it.each([
      ['accepts none', strict, true],
      ['accepts hints', catalog(), false],
    ])(
      'metadata that names the hinted user changes what the user has, where it %s',
      (_what, given, isChanged) => {
        const before = bought(hinted, shopPrice);
        const row = bought(claimed(null, 'ann'), shopPrice);
        const known = { first: ann, others: [] };
        expect(
          planOwners({ before: { ...before, claims: claimed(null, null, 'ann') }, row, known }, given),
        ).toMatchObject({
          isChanged,
          waits: null,
          waitsForOther: isChanged,
        });
      },
    );
  });

  it('who loses an item is concerned as well', () => {
    const before = {
      id: 'sub_1',
      customerId: 'cus_1',
      claims: noClaims,
      items: [{ stripePriceId: shopPrice }],
    };
    const row = { ...before, items: [{ stripePriceId: secondPrice }] };
    const plan = planOwners({ before, row, known: { first: ann, others: [] } }, catalog(ann, bob));
    expect(plan.owner).toEqual(bob);
    expect(plan.isChanged).toBe(true);
    expect(plan.concerned).toEqual([ann, bob]);
  });
});
