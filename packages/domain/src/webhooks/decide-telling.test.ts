import type { EntitlementsAnswer } from '../contracts/entitlements.ts';
import { buildEntitlementsChanged, wantsType } from './build-message.ts';
import { listCauses } from './causes.ts';
import { decideBackfill, decideTelling } from './decide-telling.ts';
import type { Telling, ToldState } from './decide-telling.ts';
import { changesBetween, toldText, toToldList } from './told-list.ts';
import type { ToldEntry } from './told-list.ts';

const asOf = Date.UTC(2026, 10, 29);
const iso = (at: number): string => new Date(at).toISOString();

const entry = (code: string, fields: Partial<ToldEntry> = {}): ToldEntry => ({
  feature_code: code,
  is_active: true,
  valid_from: null,
  valid_to: null,
  current_period_end: null,
  source: 'manual',
  source_id: 'grant_1',
  status: 'granted',
  quantity: 1,
  confirmed: true,
  kind: 'boolean',
  ...fields,
});

const state = (version: number, list: ToldEntry[], nextChangeAt: number | null = null): ToldState => ({
  version,
  list,
  nextChangeAt,
});

const telling = (fields: Partial<Telling>): Telling => ({
  told: null,
  isUnknown: false,
  initial: [],
  now: state(5, []),
  asOf,
  causes: [],
  isWanted: true,
  ...fields,
});

describe('decideTelling', () => {
  const a = entry('a');
  const ended = entry('a', { valid_to: iso(asOf - 1) });
  const begun = entry('b', { valid_from: iso(asOf - 1) });
  it.each([
    {
      name: 'a change is told with what was before',
      given: { told: state(4, []), now: state(5, [a]), causes: ['granted:g'] },
      message: {
        version: 5,
        previousVersion: 4,
        causes: ['granted:g'],
        changes: [{ feature_code: 'a', change: 'added' }],
      },
      stored: 5,
    },
    {
      name: 'a version that grew without a change is not told',
      given: { told: state(4, [a]), now: state(9, [a]), causes: ['recheck'] },
      message: null,
      stored: null,
    },
    {
      name: 'another moment of change is stored only',
      given: { told: state(4, [a]), now: state(9, [a], asOf + 1) },
      message: null,
      stored: 4,
    },
    {
      name: 'a new user without anything is stored as told nothing',
      given: { now: state(5, []) },
      message: null,
      stored: 0,
    },
    {
      name: 'a new user is compared with what default products give',
      given: { initial: [a], now: state(5, [a, entry('b')]) },
      message: {
        version: 5,
        previousVersion: null,
        causes: [],
        changes: [{ feature_code: 'b', change: 'added' as const }],
      },
      stored: 5,
    },
    {
      name: 'a new user who has what default products give is told nothing',
      given: { initial: [a], now: state(5, [a]) },
      message: null,
      stored: 0,
    },
    {
      name: 'what a user has who was told nothing is all new',
      given: { told: state(0, []), now: state(5, [a]) },
      message: {
        version: 5,
        previousVersion: null,
        causes: [],
        changes: [{ feature_code: 'a', change: 'added' }],
      },
      stored: 5,
    },
    {
      name: 'before a base line has come to the user the state is told without changes',
      given: { isUnknown: true, now: state(5, [a]), causes: ['mapping'] },
      message: { version: 5, previousVersion: null, causes: ['mapping'], changes: [] },
      stored: 5,
    },
    {
      name: 'what time ended gives a version of its own',
      given: { told: state(5, [ended], asOf - 1), now: state(5, []) },
      message: {
        version: 6,
        previousVersion: 5,
        causes: ['expired'],
        changes: [{ feature_code: 'a', change: 'removed' }],
      },
      stored: 6,
    },
    {
      name: 'what time began gives a version of its own, whatever it was before',
      given: { told: state(4, [], asOf - 1), now: state(5, [begun]) },
      message: {
        version: 6,
        previousVersion: 4,
        causes: ['started'],
        changes: [{ feature_code: 'b', change: 'added' }],
      },
      stored: 6,
    },
    {
      name: 'a change and a passed end have both causes',
      given: { told: state(4, [ended], asOf - 1), now: state(5, [begun]), causes: ['catalog'] },
      message: {
        version: 6,
        previousVersion: 4,
        causes: ['catalog', 'expired', 'started'],
        changes: [
          { feature_code: 'a', change: 'removed' },
          { feature_code: 'b', change: 'added' },
        ],
      },
      stored: 6,
    },
    {
      name: 'a difference that nothing explains has a greater version, too',
      given: { told: state(5, [a]), now: state(5, [entry('a', { quantity: 2 })]) },
      message: {
        version: 6,
        previousVersion: 5,
        causes: [],
        changes: [{ feature_code: 'a', change: 'updated' }],
      },
      stored: 6,
    },
    {
      name: 'where nobody wants it, it counts as told, and no version is made',
      given: { told: state(5, [ended], asOf - 1), now: state(5, []), isWanted: false },
      message: null,
      stored: 5,
    },
  ])('$name', ({ given, message, stored }) => {
    const decided = decideTelling(telling(given));
    expect(decided.message).toEqual(message);
    expect(decided.state?.version ?? null).toBe(stored);
    expect(decided.isBumped).toBe(message !== null && message.version > (given.now?.version ?? 0));
  });

  it('backfills what is in force with the version that it has', () => {
    const told = state(4, [entry('a')]);
    const now = state(6, [entry('a')]);
    const given = telling({ told, now });
    expect(decideBackfill(given, decideTelling(given))).toEqual({
      message: { version: 6, previousVersion: 4, causes: ['backfill'], changes: [] },
      state: now,
    });
  });
});

it('lists each cause once, twenty at most', () => {
  const many = Array.from({ length: 25 }, (_, index) => `stripe_event:evt_${index}`);
  expect(listCauses(['catalog', 'catalog'])).toEqual(['catalog']);
  expect(listCauses(many.slice(0, 20))).toEqual(many.slice(0, 20));
  expect(listCauses(many)).toEqual([...many.slice(0, 20), 'more']);
});

describe('a change of the list', () => {
  it('is any field of an entry but usage windows and balances', () => {
    const windows = { period_start: iso(0), period_end: iso(asOf) };
    const metered = { ...entry('calls'), kind: 'metered' as const, allowance: 10 };
    const [told] = toToldList([{ ...metered, ...windows }]);
    expect(told).toEqual(metered);
    expect(changesBetween(toToldList([{ ...metered, ...windows }]), toToldList([metered]))).toEqual([]);
    expect(changesBetween([metered], [{ ...metered, allowance: 20 }])).toEqual([
      { feature_code: 'calls', change: 'updated' },
    ]);
  });

  it('is none where only the order of fields differs, as Postgres keeps them', () => {
    const value = { b: 1, a: [{ d: 1, c: 2 }] };
    const turned = { a: [{ c: 2, d: 1 }], b: 1 };
    expect(toldText([entry('x', { value })])).toBe(toldText([{ ...entry('x'), value: turned }]));
  });
});

describe('the message', () => {
  const answer = (entitlements: EntitlementsAnswer['entitlements']): EntitlementsAnswer => ({
    user_id: 'u',
    project_id: 'p',
    entitlements,
    version: 4,
    as_of: iso(asOf),
    valid_until: null,
  });
  const message = { version: 5, previousVersion: 4, causes: [], changes: [] };

  it('is thin, and says so, over 256 KB', () => {
    const { full, thin } = buildEntitlementsChanged(
      answer([entry('a', { value: 'ü'.repeat(128 * 1024) })]),
      message,
    );
    expect(JSON.parse(full)).toEqual({ ...JSON.parse(thin ?? ''), truncated: true });
    expect(JSON.parse(thin ?? '')).toEqual({
      type: 'entitlements.changed',
      timestamp: iso(asOf),
      data: { project_id: 'p', user_id: 'u', version: 5, previous_version: 4 },
    });
    const whole = buildEntitlementsChanged(answer([entry('a', { value: 'x'.repeat(255 * 1024) })]), message);
    expect(JSON.parse(whole.full).data.entitlements).toHaveLength(1);
  });

  it.each([
    { types: ['*'], isWanted: true },
    { types: ['catalog.changed', 'entitlements.changed'], isWanted: true },
    { types: ['catalog.changed'], isWanted: false },
  ])('goes to an endpoint of $types: $isWanted', ({ types, isWanted }) => {
    expect(wantsType(types, 'entitlements.changed')).toBe(isWanted);
  });
});
