import { noClaims } from '../stripe/claims.ts';
import type { Claims } from '../stripe/claims.ts';
import { purchaseWithoutErased, subscriptionWithoutErased } from './erased.ts';
import { unknownPurchase } from './purchase-row.ts';
import { resolveOwners } from './resolve-owner.ts';
import type { Catalog, Ownable, Owner } from './resolve-owner.ts';
import { unknownSubscription } from './subscription-row.ts';

const second = 1_000;
const erasedAt = 1_000 * second + 400;
const user = (projectId: string, userId: string, ref = 1): Owner => ({ ref, projectId, userId, version: 1 });
const price = (projectId: string) => ({ projectId, priceId: projectId, stripePriceId: `price_${projectId}` });

const catalog = (parts: Partial<Catalog> = {}): Catalog => ({
  mappings: new Map(),
  users: [],
  projects: new Set(['shop', 'other']),
  hintQuarantines: new Set(),
  prices: [price('shop'), price('other')],
  erased: { users: new Map([['ann', new Map([['shop', erasedAt]])]]), objects: new Map() },
  ...parts,
});
const erasedObject = (id: string, at = erasedAt): Pick<Catalog, 'erased'> => ({
  erased: { users: new Map(), objects: new Map([[id, new Map([['shop', at]])]]) },
});
const claimed = (userId: string, projectId: string | null = null): Claims => ({
  projectId,
  userId,
  userSource: 'metadata',
});
const object = (parts: Partial<Ownable> = {}): Ownable => ({
  id: 'sub_1',
  customerId: 'cus_1',
  claims: claimed('ann'),
  items: [{ stripePriceId: 'price_shop' }],
  ...parts,
});
const isBack = { users: [user('shop', 'ann')] };
const mapped = { mappings: new Map([['cus_1', [user('shop', 'bob', 2)]]]) };

type Row = [
  what: string,
  catalog: Partial<Catalog>,
  object: Partial<Ownable>,
  erased: string,
  owners: string[],
];
const rows: Row[] = [
  ['names an erased user', {}, {}, 'all', []],
  ['names one, and the project', {}, { claims: claimed('ann', 'shop') }, 'all', []],
  ['names one where no project is known', {}, { items: [], createdAt: null }, 'all', []],
  [
    'names one of the same id in another project',
    {},
    { claims: claimed('ann', 'other'), items: [] },
    'none',
    ['ann'],
  ],
  ['names somebody else', {}, { claims: claimed('bob') }, 'none', ['bob']],
  ['is newer, and the user has not come back', {}, { createdAt: 2_000 * second }, 'all', []],
  ['is newer, and the user has come back', isBack, { createdAt: 1_001 * second }, 'none', ['ann']],
  [
    'is of the same second, and the user has come back',
    isBack,
    { createdAt: 1_000 * second },
    'none',
    ['ann'],
  ],
  ['is older, and the user has come back', isBack, { createdAt: 999 * second }, 'all', []],
  ['has a customer that is mapped to somebody else', mapped, {}, 'none', ['bob']],
  ['was erased itself', { ...erasedObject('sub_1'), ...mapped }, {}, 'all', []],
  ['has an erased customer, and names nobody', erasedObject('cus_1'), { claims: noClaims }, 'all', []],
  [
    'has an erased customer, and names somebody else',
    erasedObject('cus_1'),
    { claims: claimed('bob') },
    'none',
    ['bob'],
  ],
  [
    'is older than the erasure of its customer',
    { ...erasedObject('cus_1'), ...mapped },
    { createdAt: 0 },
    'all',
    [],
  ],
  [
    'is newer than the erasure of its customer',
    { ...erasedObject('cus_1'), ...mapped },
    { createdAt: 2_000 * second },
    'none',
    ['bob'],
  ],
  [
    'belongs to two projects, of which one erased its user',
    erasedObject('sub_1'),
    {
      claims: claimed('ann', 'other'),
      items: [{ stripePriceId: 'price_shop' }, { stripePriceId: 'price_other' }],
    },
    'some',
    ['ann'],
  ],
];

test.each(rows)('an object that %s', (...[, parts, of, erased, owners]) => {
  const resolved = resolveOwners(object(of), catalog(parts));
  expect([resolved.erased, resolved.owners.map(({ owner }) => owner.userId)]).toEqual([erased, owners]);
  expect(resolved.waits).toBeNull();
});

test('what an operator assigned is not erased', () => {
  const known = { first: null, others: [{ owner: user('shop', 'bob'), source: 'assignment' as const }] };
  expect(resolveOwners(object(), catalog(erasedObject('sub_1')), known)).toMatchObject({
    erased: 'none',
    owners: [{ owner: { userId: 'bob' } }],
  });
});

test('a subscription keeps the project that it names, and not the erased user', () => {
  const row = { ...unknownSubscription('sub_1'), claims: claimed('ann', 'shop'), claimsAt: 5 };
  const clean = subscriptionWithoutErased(row, row, { catalog: catalog() });
  expect(clean.claims).toEqual({ projectId: 'shop', userId: null, userSource: null });
  const others = { ...row, claims: claimed('bob', 'shop') };
  expect(subscriptionWithoutErased(others, others, { catalog: catalog() })).toBe(others);
});

test('no part of a payment names an erased user, and who else is named stays', () => {
  const said = (userId: string) => ({
    at: 1,
    eventId: 'evt_1',
    customerId: null,
    claims: claimed(userId, 'shop'),
    amount: null,
    currency: null,
    items: null,
  });
  const row = unknownPurchase('pi_1');
  const named = {
    ...row,
    claims: claimed('ann', 'shop'),
    record: { ...row.record, said: { session: said('ann'), charge: said('bob') } },
  };
  const clean = purchaseWithoutErased(named, named, { catalog: catalog() });
  expect(JSON.stringify(clean)).not.toContain('ann');
  expect(clean.claims).toEqual(claimed('bob', 'shop'));
});
