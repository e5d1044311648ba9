import { aGrant } from '../entitlements/sources.test-support.ts';
import type { Account } from './account.ts';
import { quantityOf } from './assess.ts';
import { balanceOf } from './balance.ts';
import { splitBuckets } from './change.ts';
import type { Reservation, ReservationCommand, ReserveCommand } from './commands.ts';
import { decideReservation, mostOpenHolds } from './decide-reservation.ts';
import { expireDue } from './hold.ts';
import type { ReservationDecision } from './hold.ts';
import {
  accountOf,
  after,
  aLimit,
  at,
  aUse,
  later,
  metered,
  seats,
  subscriptionOf,
} from './usage.test-support.ts';
import type { Scene } from './usage.test-support.ts';

const april: [string, string] = ['2026-04-10', '2026-05-10'];
const plan = (settings = metered(), now = '2026-04-20'): Scene => ({
  subscriptions: [subscriptionOf(settings, april)],
  now,
});
const aReserve = (fields: Partial<ReserveCommand> = {}): ReserveCommand => ({
  kind: 'reserve',
  reservationId: 'r1',
  quantity: 40,
  expiresInMs: 300_000,
  onExpiry: 'release',
  ...fields,
});
const confirm = (quantity: number | null, overrun: 'record' | 'deny' = 'record') =>
  ({ kind: 'confirm', reservationId: 'r1', quantity, overrun }) as const;
const release = { kind: 'release', reservationId: 'r1' } as const;

type Held = { account: Account; row: Reservation };

function run(account: Account, command: ReservationCommand, known: Reservation | null = null): Held {
  const decided = decideReservation(account, command, known);
  if (decided.kind !== 'reservation') throw new Error(JSON.stringify(decided));
  return { account: decided.change.account, row: decided.reservation };
}

const held = (fields: Partial<ReserveCommand> = {}, scene = plan()): Held =>
  run(accountOf(scene), aReserve(fields));
/** The same reservation after its time. */
const past = ({ account, row }: Held, now = '2026-04-20T00:05:00Z', settings = metered()): Held => ({
  account: later(account, plan(settings, now)),
  row,
});
const usedAndHeld = ({ account }: Held): [number, number, number | null] => {
  const balance = balanceOf(account);
  return [balance?.used ?? -1, balance?.held ?? -1, balance?.remaining ?? null];
};
const codeOf = (decided: ReservationDecision): string =>
  decided.kind === 'refused' ? decided.code : decided.kind;

describe('reserving', () => {
  it.each<[string, Scene, number, string, string]>([
    ['what there is', plan(), 100, 'reservation', 'within_allowance'],
    ['more than there is', plan(), 101, 'denied', 'insufficient_balance'],
    [
      'with overage',
      plan(metered({ overage: 'allow', overage_limit: 1 })),
      101,
      'reservation',
      'overage_allowed',
    ],
    ['not entitled', { now: '2026-04-20' }, 1, 'denied', 'not_entitled'],
    ['unlimited', plan(metered({ allowance: null })), 1e9, 'reservation', 'unlimited'],
  ])('%s', (...[_what, scene, quantity, kind, reason]) => {
    const decided = decideReservation(accountOf(scene), aReserve({ quantity }), null);
    expect(decided.kind).toBe(kind);
    expect(decided).toMatchObject(
      kind === 'denied' ? { reason } : { reservation: { reason, state: 'held' } },
    );
  });

  it('what is held is not free', () => {
    const one = held();
    expect(usedAndHeld(one)).toEqual([0, 40, 60]);
    expect(
      codeOf(decideReservation(one.account, aReserve({ reservationId: 'r2', quantity: 61 }), null)),
    ).toBe('denied');
    expect(one.account.state).toMatchObject({
      openHolds: 1,
      holdsDueAt: at('2026-04-20T00:05:00Z'),
      usageSeq: 1,
    });
  });

  it('again: the same; with another body: a conflict', () => {
    const { account, row } = held();
    expect(run(account, aReserve(), row)).toEqual({ account, row });
    for (const other of [{ quantity: 41 }, { expiresInMs: 1 }, { onExpiry: 'charge' as const }])
      expect(codeOf(decideReservation(account, aReserve(other), row))).toBe('reservation_conflict');
  });

  it('not of a limit, and not without bound', () => {
    const team = accountOf({
      subscriptions: [subscriptionOf(aLimit(), april)],
      now: '2026-04-20',
      feature: seats,
    });
    expect(codeOf(decideReservation(team, aReserve(), null))).toBe('feature_not_metered');
    const { account } = held();
    const full = { ...account, state: { ...account.state, openHolds: mostOpenHolds } };
    expect(codeOf(decideReservation(full, aReserve({ reservationId: 'r2' }), null))).toBe(
      'too_many_reservations',
    );
  });
});

describe('confirming and releasing', () => {
  it.each<[string, Held, ReservationCommand, string, [number, number, number]]>([
    ['all', held(), confirm(null), 'confirmed', [40, 0, 60]],
    ['a part: the rest is free again', held(), confirm(15), 'confirmed', [15, 0, 85]],
    ['nothing', held(), confirm(0), 'confirmed', [0, 0, 100]],
    ['more than is held', held(), confirm(90), 'confirmed', [90, 0, 10]],
    ['more than there is', held(), confirm(130), 'confirmed', [130, 0, 0]],
    ['more, allowed', held(), confirm(100, 'deny'), 'confirmed', [100, 0, 0]],
    ['release', held(), release, 'released', [0, 0, 100]],
    ['late', past(held()), confirm(50), 'confirmed', [50, 0, 50]],
    [
      'late, of one that is charged at expiry: the charge is replaced',
      past(held({ onExpiry: 'charge' })),
      confirm(10),
      'confirmed',
      [10, 0, 90],
    ],
    ['late, charged, more', past(held({ onExpiry: 'charge' })), confirm(70), 'confirmed', [70, 0, 30]],
    ['late, charged, the same', past(held({ onExpiry: 'charge' })), confirm(null), 'confirmed', [40, 0, 60]],
    ['release of one that has expired', past(held()), release, 'released', [0, 0, 100]],
  ])('%s', (...[_what, { account, row }, command, state, balance]) => {
    const done = run(account, command, row);
    expect(done.row.state).toBe(state);
    expect(usedAndHeld(done)).toEqual(balance);
    expect(done.account.state.openHolds).toBe(0);
    const quantity = command.kind === 'confirm' ? (command.quantity ?? 40) : null;
    const isLate = account.offer.input.now > at('2026-04-20');
    expect(done.row.confirmed).toEqual(quantity === null ? null : { quantity, late: isLate });
    expect(quantityOf(done.row.parts)).toBe(quantity ?? 40);
    // Each again: the same answer.
    expect(run(done.account, command, done.row)).toEqual(done);
  });

  it.each<[string, ReservationCommand, ReservationCommand, Held]>([
    ['confirm after release', release, confirm(null), held()],
    ['release after confirm', confirm(null), release, held()],
    ['confirm as something else', confirm(10), confirm(11), held()],
  ])('a contradiction: %s', (_what, first, then, { account, row }) => {
    const done = run(account, first, row);
    expect(codeOf(decideReservation(done.account, then, done.row))).toBe('reservation_closed');
  });

  it('more than is held, denied: it stays held', () => {
    const { account, row } = held();
    const busy = after(account, aUse({ quantity: 60 }));
    expect(codeOf(decideReservation(busy, confirm(41, 'deny'), row))).toBe('insufficient_balance');
    expect(usedAndHeld(run(busy, confirm(40, 'deny'), row))).toEqual([100, 0, 0]);
  });

  it('unknown, or of another user', () => {
    const { account, row } = held();
    expect(codeOf(decideReservation(account, confirm(1), null))).toBe('reservation_not_found');
    expect(codeOf(decideReservation({ ...account, userId: 'v' }, release, row))).toBe(
      'reservation_not_found',
    );
  });

  it('a hold burns its own bucket, also after its period', () => {
    const { account, row } = held({ expiresInMs: 40 * 86_400_000 });
    const next = later(account, plan(metered(), '2026-05-10'));
    expect(balanceOf(next)).toMatchObject({ used: 0, held: 0, remaining: 100 });
    // It is needed: it stays in the row.
    expect(splitBuckets(next).live).toMatchObject([{ held: 40 }]);
    const done = run(next, confirm(null), row);
    expect(done.account.state.buckets).toMatchObject([{ start: at('2026-04-10'), used: 40, held: 0 }]);
    expect(balanceOf(done.account)).toMatchObject({ used: 0, remaining: 100 });
  });

  it('over several buckets: the first of them are taken, the others free again', () => {
    const scene = { ...plan(), grants: [aGrant({ validFrom: 0, amount: 50 })] };
    const { account, row } = run(accountOf(scene), aReserve({ quantity: 120 }));
    const done = run(account, confirm(110), row);
    expect(done.row.parts).toMatchObject([
      { sourceId: 'sub_1', quantity: 100 },
      { sourceId: 'grant_1', quantity: 10 },
    ]);
  });

  it('what a release gives back may roll over', () => {
    const rolling = metered({ rollover: { periods: 1 } });
    const { account, row } = held({ expiresInMs: 40 * 86_400_000 }, plan(rolling));
    const next = later(account, plan(rolling, '2026-05-10'));
    expect(balanceOf(next)?.granted).toBe(160);
    expect(balanceOf(run(next, release, row).account)?.granted).toBe(200);
  });
});

describe('U6: expiry by the clock returns exactly what was held', () => {
  it.each<['release' | 'charge', string, [number, number, number]]>([
    ['release', 'expired', [0, 0, 100]],
    ['charge', 'charged', [40, 0, 60]],
  ])('%s', (onExpiry, state, balance) => {
    const { account, row } = past(held({ onExpiry }));
    const change = expireDue(account, [row], null);
    expect(change.reservations).toMatchObject([{ state }]);
    expect(usedAndHeld({ account: change.account, row })).toEqual(balance);
    expect(change.account.state).toMatchObject({ openHolds: 0, holdsDueAt: null });
    expect(change.events.map((one) => [one.kind, one.eventId, one.quantity, one.at])).toEqual(
      onExpiry === 'charge' ? [['reservation', 'r1', 40, row.expiresAt]] : [],
    );
  });

  it('not a millisecond before', () => {
    const early = past(held(), '2026-04-20T00:04:59.999Z');
    expect(expireDue(early.account, [early.row], early.row.expiresAt).reservations).toEqual([]);
  });

  it('one that is charged is not released any more', () => {
    const { account, row } = past(held({ onExpiry: 'charge' }));
    expect(codeOf(decideReservation(account, release, row))).toBe('reservation_closed');
  });
});
