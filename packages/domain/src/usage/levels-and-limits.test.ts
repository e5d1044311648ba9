import { aGrant, aSubscription } from '../entitlements/sources.test-support.ts';
import type { Account } from './account.ts';
import { balanceOf } from './balance.ts';
import { checkUsage } from './check.ts';
import { combineLimits } from './combine-limits.ts';
import type { EventDecision } from './event-decision.ts';
import type { LimitSettings } from './features.ts';
import {
  accountOf,
  after,
  aLimit,
  at,
  aUse,
  decide,
  eventOf,
  itemOf,
  metered,
  seats,
  subscriptionOf,
} from './usage.test-support.ts';
import type { Scene } from './usage.test-support.ts';

const april: [string, string] = ['2026-04-10', '2026-05-10'];
const now = '2026-04-20';
const items = (...all: [Partial<LimitSettings>, number?][]) => ({
  subscriptions: [
    aSubscription({
      items: all.map(([settings, quantity = 1], index) =>
        itemOf(aLimit(settings), april, { itemId: `si_${index}`, stripePriceId: `price_${index}`, quantity }),
      ),
    }),
  ],
});
const defaultOf = (settings: Partial<LimitSettings>) => ({
  defaults: [{ productId: 'free', featureCodes: ['f'], features: { f: aLimit(settings) } }],
});
const grantOf = (amount: number | null) => aGrant({ validFrom: 0, amount });

describe('the limit of several sources', () => {
  it.each<[string, Omit<Scene, 'now'>, number | null | undefined]>([
    ['one', items([{ limit: 5 }]), 5],
    ['the greatest', items([{ limit: 5 }], [{ limit: 9 }]), 9],
    ['per unit', items([{ limit: 5, per_unit: true }, 3]), 15],
    ['each item counts by itself', items([{ limit: 5, per_unit: true }, 3], [{ limit: 20 }]), 20],
    [
      'add-ons are added',
      items([{ limit: 5 }], [{ limit: 2, add_on: true }], [{ limit: 3, add_on: true, per_unit: true }, 2]),
      13,
    ],
    ['add-ons alone', items([{ limit: 2, add_on: true }]), 2],
    ['unlimited', items([{ limit: 5 }], [{ limit: null }]), null],
    ['an unlimited add-on', items([{ limit: 5 }], [{ limit: null, add_on: true }]), null],
    ['a grant is an add-on', { ...items([{ limit: 5 }]), grants: [grantOf(4)] }, 9],
    ['a grant without limit', { ...items([{ limit: 5 }]), grants: [grantOf(null)] }, null],
    [
      'two subscriptions',
      {
        subscriptions: [
          subscriptionOf(aLimit(), april),
          subscriptionOf(aLimit({ limit: 7 }), april, { id: 'sub_2' }),
        ],
      },
      7,
    ],
    [
      'a default product is a base source',
      { ...items([{ limit: 2, add_on: true }]), ...defaultOf({ limit: 3 }) },
      5,
    ],
    ['no source', {}, undefined],
  ])('%s', (_what, scene, limit) => {
    const { offer } = accountOf({ ...scene, now, feature: seats });
    expect(combineLimits(offer.input)?.limit).toBe(limit);
    expect(offer.limit?.limit).toBe(limit);
  });

  it('the value is that of the first listed source that has one', () => {
    const scene = {
      subscriptions: [
        subscriptionOf(aLimit({ value: { theme: 'dark' } }), ['2026-04-10', '2026-06-10'], { id: 'sub_2' }),
        subscriptionOf(aLimit({ value: 'shorter' }), april),
      ],
      grants: [grantOf(1)],
    };
    expect(accountOf({ ...scene, now, feature: seats }).offer.limit).toMatchObject({
      source: 'manual',
      value: { theme: 'dark' },
    });
  });
});

const team = (fields: Partial<LimitSettings> = {}): Account =>
  accountOf({ ...items([fields]), now, feature: seats });
const setTo = (level: number, observed: string, eventId = observed) =>
  ({ kind: 'set_level', eventId, level, observedAt: at(observed) }) as const;

/** Null: refused. */
function reasonOf(decided: EventDecision): string | null {
  if (decided.kind === 'recorded') return decided.event.reason;
  return decided.kind === 'denied' ? decided.reason : null;
}

describe('a counted limit', () => {
  const four = after(team(), aUse({ quantity: 4 }));
  it.each<[string, Account, number, 'enforce' | 'record', string | null, number]>([
    // What is asked, and the reason (null: refused), then the level.
    ['within', four, 1, 'enforce', 'within_limit', 5],
    ['beyond', four, 2, 'enforce', 'limit_reached', 4],
    ['beyond, recorded', four, 2, 'record', 'limit_reached', 6],
    ['down', four, -4, 'enforce', 'within_limit', 0],
    ['below zero', four, -5, 'enforce', null, 4],
    ['below zero, recorded', four, -5, 'record', null, 4],
    ['unlimited', after(team({ limit: null }), aUse({ quantity: 4 })), 1e9, 'enforce', 'unlimited', 1e9 + 4],
    [
      'down, though over the limit',
      after(team(), aUse({ quantity: 9, mode: 'record' })),
      -1,
      'enforce',
      'within_limit',
      8,
    ],
    ['not entitled', accountOf({ now, feature: seats }), 1, 'enforce', 'not_entitled', 0],
  ])('%s', (...[_what, account, quantity, mode, reason, level]) => {
    const decided = decide(account, aUse({ quantity, mode }));
    expect(reasonOf(decided)).toBe(reason);
    const left = decided.kind === 'recorded' ? decided.change.account : account;
    expect(left.state.level).toBe(level);
    expect(left.state.buckets).toEqual([]);
  });

  it('its balance has no buckets', () => {
    expect(balanceOf(four)).toMatchObject({
      granted: 5,
      used: 4,
      remaining: 1,
      overage: 0,
      buckets: [],
      unlimited: false,
    });
    const over = after(team(), aUse({ quantity: 7, mode: 'record' }));
    expect(balanceOf(over)).toMatchObject({ granted: 5, used: 7, remaining: 0, overage: 2 });
  });

  it('a level is set as it was observed; an older observation is stale', () => {
    const set = after(four, setTo(7, '2026-04-19T12:00Z'));
    expect(set.state.level).toBe(7);
    expect(decide(four, setTo(7, '2026-04-19T12:00Z'))).toMatchObject({
      event: { quantity: 3, allowed: false, reason: 'limit_reached' },
    });
    expect(decide(set, setTo(1, '2026-04-19T11:59Z'))).toMatchObject({ kind: 'stale' });
    expect(after(set, setTo(2, '2026-04-19T12:01Z')).state.level).toBe(2);
    expect(decide(set, setTo(1, '2026-04-20T00:05:01Z'))).toMatchObject({ code: 'timestamp_out_of_range' });
    expect(decide(accountOf({ now }), setTo(1, now))).toMatchObject({ code: 'feature_not_metered' });
  });

  it('a correction takes off no more than its event put on', () => {
    const { account, event } = eventOf(four, aUse({ quantity: 1 }));
    const back = aUse({ quantity: -1, corrects: event.eventId });
    expect(after(account, back, event).state.level).toBe(4);
    expect(decide(account, { ...back, quantity: -2 }, { corrected: event })).toMatchObject({
      code: 'correction_too_large',
    });
  });
});

const check = (account: Account, required = 1) =>
  checkUsage(account, { projectId: 'p', required, version: 7, entitlementsValidUntil: null });

describe('a check', () => {
  const days: Scene = { ...items([{ limit: 30, value: 'v' }]), now, feature: { ...seats, counted: false } };
  const calls: Scene = { subscriptions: [subscriptionOf(metered({ allowance: 1000 }), april)], now };
  const boolean: Scene = { ...items([{}]), now, feature: { ...seats, kind: 'boolean', counted: false } };
  it.each<[string, Account, number, boolean, string]>([
    ['boolean', accountOf(boolean), 1, true, 'in_force'],
    ['boolean, not granted', accountOf({ ...boolean, subscriptions: [] }), 1, false, 'not_entitled'],
    ['a limit that is not counted', accountOf(days), 30, true, 'within_limit'],
    ['more than it is', accountOf(days), 31, false, 'limit_reached'],
    ['a counted limit', after(team(), aUse({ quantity: 4 })), 1, true, 'within_limit'],
    ['a counted limit that is reached', after(team(), aUse({ quantity: 4 })), 2, false, 'limit_reached'],
    ['metered', accountOf(calls), 1000, true, 'within_allowance'],
    ['metered, more than there is', accountOf(calls), 1001, false, 'insufficient_balance'],
    ['metered, not granted', accountOf({ now }), 1, false, 'not_entitled'],
  ])('%s', (...[_what, account, required, allowed, reason]) => {
    expect(check(account, required)).toMatchObject({ allowed, reason, required });
  });

  it('answers as the contract shows', () => {
    const account = after(accountOf(calls), aUse({ quantity: 12 }));
    expect(check(account)).toEqual({
      user_id: 'u',
      project_id: 'p',
      feature_code: 'f',
      kind: 'metered',
      allowed: true,
      reason: 'within_allowance',
      required: 1,
      limit: null,
      value: null,
      balance: {
        granted: 1000,
        used: 12,
        held: 0,
        remaining: 988,
        overage: 0,
        overage_limit: 0,
        unlimited: false,
        resets_at: '2026-05-10T00:00:00.000Z',
        next_expiry: { at: '2026-05-10T00:00:00.000Z', amount: 988 },
        buckets: [
          {
            source: 'subscription',
            source_id: 'sub_1',
            period_start: '2026-04-10T00:00:00.000Z',
            period_end: '2026-05-10T00:00:00.000Z',
            granted: 1000,
            rolled_over: 0,
            used: 12,
            held: 0,
            remaining: 988,
          },
        ],
      },
      version: 7,
      usage_seq: 1,
      as_of: '2026-04-20T00:00:00.000Z',
      valid_until: '2026-05-10T00:00:00.000Z',
    });
    expect(check(accountOf(days))).toMatchObject({ kind: 'limit', limit: 30, value: 'v', balance: null });
  });

  it('says nothing of resets and loss where there is none', () => {
    const ending = accountOf({
      ...calls,
      subscriptions: [subscriptionOf(metered(), april, { cancelAtPeriodEnd: true })],
    });
    expect(check(ending).balance).toMatchObject({ resets_at: null, next_expiry: { amount: 100 } });
    const forever = accountOf({ now, grants: [grantOf(3)] });
    expect(check(forever)).toMatchObject({
      valid_until: null,
      balance: { resets_at: null, next_expiry: null },
    });
  });
});
