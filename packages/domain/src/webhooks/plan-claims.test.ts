import { planClaims } from './plan-claims.ts';
import type { ClaimContext, DueDelivery } from './plan-claims.ts';
import { shareSlots } from './share-slots.ts';

const now = 1_000_000;
const context: ClaimContext = {
  delivery: 'latest',
  free: 8,
  busy: new Map(),
  discardedTo: 0,
  now,
  claimEndsAt: now + 35_000,
};
const due = (id: number, change: Partial<DueDelivery> = {}): DueDelivery => ({
  id,
  userId: `user_${id}`,
  behindUntil: null,
  firstTryAt: 0,
  ...change,
});
const nothing = { claimed: [], superseding: [], putOff: [], discarded: [] };

test.each<[string, DueDelivery[], Partial<ClaimContext>, object]>([
  ['no more than are free', [due(1), due(2), due(3)], { free: 2 }, { claimed: [1, 2] }],
  [
    'of a user one at a time',
    [due(1, { userId: 'ann' }), due(2, { userId: 'ann' }), due(3)],
    {},
    { claimed: [1, 3], putOff: [{ id: 2, until: now + 35_000, isBehind: true }] },
  ],
  [
    'of the project one at a time',
    [due(1, { userId: null }), due(2, { userId: null })],
    {},
    { claimed: [1], putOff: [{ id: 2, until: now + 35_000, isBehind: true }] },
  ],
  [
    'none of a user whose delivery is under way',
    [due(1, { userId: 'ann' }), due(2)],
    { busy: new Map([['ann', now + 9]]) },
    { claimed: [2], putOff: [{ id: 1, until: now + 9, isBehind: true }] },
  ],
  [
    'none before an older state where every one is wanted',
    [due(2, { behindUntil: now + 300_000 })],
    { delivery: 'every' },
    { putOff: [{ id: 2, until: now + 300_000, isBehind: true }] },
  ],
  [
    'none before an older state that is due itself',
    [due(2, { behindUntil: now - 5 })],
    { delivery: 'every' },
    { putOff: [{ id: 2, until: now + 1_000, isBehind: true }] },
  ],
  [
    'the latest in place of an older state',
    [due(2, { behindUntil: now + 300_000 })],
    {},
    { claimed: [2], superseding: [2] },
  ],
  ['none that is discarded', [due(1), due(2)], { discardedTo: 1 }, { claimed: [2], discarded: [1] }],
  [
    'none before its first try',
    [due(1, { firstTryAt: now + 4 })],
    {},
    { putOff: [{ id: 1, until: now + 4, isBehind: false }] },
  ],
])('takes %s', (_what, list, change, plan) => {
  expect(planClaims(list, { ...context, ...change })).toEqual({ ...nothing, ...plan });
});

const endpoint = (id: string, inFlight: number, isFailing = false) => ({ id, inFlight, isFailing });

test.each([
  [[endpoint('a', 0), endpoint('b', 6)], { free: 100, failingFree: 50 }, { a: 8, b: 2 }],
  [[endpoint('a', 8)], { free: 100, failingFree: 50 }, {}],
  [[endpoint('a', 6), endpoint('b', 0)], { free: 9, failingFree: 4 }, { b: 8, a: 1 }],
  [[endpoint('dead', 0, true)], { free: 100, failingFree: 50 }, { dead: 2 }],
  [[endpoint('dead', 0, true), endpoint('a', 1)], { free: 100, failingFree: 0 }, { a: 7 }],
  [[endpoint('dead', 0, true), endpoint('dying', 0, true)], { free: 1, failingFree: 50 }, { dead: 1 }],
])('%p share %p as %p', (endpoints, slots, shares) => {
  expect(Object.fromEntries(shareSlots(endpoints, slots).map(({ id, take }) => [id, take]))).toEqual(shares);
});
