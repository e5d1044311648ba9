import type { Account } from './account.ts';
import type { Reservation, UsageCommand } from './commands.ts';
import { decideBatch, knownKey, needsEndedBuckets } from './decide-batch.ts';
import type { BatchCommand, BatchResult } from './decide-batch.ts';
import type { UsageEvent } from './usage-event.ts';
import {
  accountOf,
  at,
  aUse,
  eventOf,
  lateMs,
  later,
  metered,
  subscriptionOf,
} from './usage.test-support.ts';
import type { Scene } from './usage.test-support.ts';

const april: [string, string] = ['2026-04-10', '2026-05-10'];
const plan: Scene = { subscriptions: [subscriptionOf(metered(), april)], now: '2026-04-20' };
const fresh = (userId: string): Account => ({ ...accountOf(plan), userId });

type Read = {
  accounts?: Record<string, Account>;
  events?: UsageEvent[];
  reservations?: Reservation[];
  due?: { holds: Reservation[]; nextDueAt: number | null };
};

const run = (
  commands: [account: string, command: UsageCommand][],
  { accounts = { u: fresh('u'), v: fresh('v') }, events = [], reservations = [], due }: Read = {},
): BatchResult =>
  decideBatch(
    {
      accounts: new Map(Object.entries(accounts)),
      events: new Map(events.map((one) => [knownKey('p', one.eventId), one])),
      reservations: new Map(reservations.map((one) => [knownKey('p', one.reservationId), one])),
      due: new Map(due === undefined ? [] : [['u', due]]),
      lateMs,
    },
    commands.map(([account, command]): BatchCommand => ({ account, projectId: 'p', command })),
  );

const outcomes = ({ results }: BatchResult): string[] =>
  results.map((one) => {
    if (one.kind === 'event')
      return one.answer.duplicate ? 'duplicate' : one.answer.recorded ? 'recorded' : 'denied';
    if (one.kind === 'reservation') return one.answer.state;
    return one.kind === 'refused' ? one.code : one.kind;
  });

const reserve: UsageCommand = {
  kind: 'reserve',
  reservationId: 'r',
  quantity: 40,
  expiresInMs: 300_000,
  onExpiry: 'release',
};
const confirm: UsageCommand = { kind: 'confirm', reservationId: 'r', quantity: null, overrun: 'record' };

describe('a batch', () => {
  it('is decided in order: what is taken is not there for the next', () => {
    const commands: [string, UsageCommand][] = [
      ['u', aUse({ quantity: 60 })],
      ['v', aUse({ quantity: 100 })],
      ['u', aUse({ quantity: 50 })],
      ['u', aUse({ quantity: 40 })],
    ];
    const result = run(commands);
    expect(outcomes(result)).toEqual(['recorded', 'recorded', 'denied', 'recorded']);
    expect(result.changes.get('u')?.events.map((one) => one.usageSeq)).toEqual([1, 2]);
    expect([...result.changes.keys()]).toEqual(['u', 'v']);
  });

  it('knows its own events: a duplicate, a conflict, also of another user, a correction', () => {
    const first = aUse({ eventId: 'e', quantity: 10 });
    const back = aUse({ eventId: 'c', quantity: -10, corrects: 'e' });
    const result = run([
      ['u', first],
      ['u', first],
      ['u', { ...first, quantity: 11 }],
      ['v', first],
      ['u', back],
      ['u', aUse({ eventId: 'c2', quantity: -1, corrects: 'e' })],
    ]);
    expect(outcomes(result)).toEqual([
      'recorded',
      'duplicate',
      'event_conflict',
      'event_conflict',
      'recorded',
      'correction_too_large',
    ]);
    expect(result.changes.get('u')?.corrected).toEqual([{ eventId: 'e', by: 10 }]);
    expect([...result.changes.keys()]).toEqual(['u']);
  });

  it('knows its own reservations', () => {
    const result = run([
      ['u', reserve],
      ['u', confirm],
      ['u', confirm],
      ['u', { kind: 'release', reservationId: 'r' }],
    ]);
    expect(outcomes(result)).toEqual(['held', 'confirmed', 'confirmed', 'reservation_closed']);
    // One row of it, as it was left.
    expect(result.changes.get('u')?.reservations.map((one) => one.state)).toEqual(['confirmed']);
  });

  it('what is due is let go before the first command, and written', () => {
    const { changes } = run([['u', reserve]]);
    const held = changes.get('u');
    const [row] = held?.reservations ?? [];
    if (held === undefined || row === undefined) throw new Error('not held');
    const account = later(held.account, { ...plan, now: row.expiresAt });
    const read = { accounts: { u: account }, reservations: [row], due: { holds: [row], nextDueAt: null } };
    const result = run([['u', aUse({ quantity: 100 })]], read);
    expect(outcomes(result)).toEqual(['recorded']);
    expect(result.changes.get('u')?.reservations).toMatchObject([{ state: 'expired' }]);
    // Also where nothing else changes.
    expect(outcomes(run([['u', aUse({ quantity: 101 })]], read))).toEqual(['denied']);
    expect(run([['u', aUse({ quantity: 101 })]], read).changes.get('u')?.account.state.openHolds).toBe(0);
  });

  it('U8: a command whose decision fails concerns nobody else', () => {
    const broken: Account = { ...fresh('u'), state: { ...fresh('u').state, buckets: JSON.parse('null') } };
    const result = run(
      [
        ['u', aUse()],
        ['v', aUse()],
        ['w', aUse()],
      ],
      { accounts: { u: broken, v: fresh('v') } },
    );
    expect(outcomes(result)).toEqual(['failed', 'recorded', 'failed']);
    expect([...result.changes.keys()]).toEqual(['v']);
  });

  it('an adjustment leaves no more to correct than there is', () => {
    const { account, event } = eventOf(accountOf(plan), aUse({ eventId: 'e', quantity: 10 }));
    const adjust: UsageCommand = { kind: 'adjust', eventId: 'a', quantity: -4, reason: 'a promise' };
    const correct = (quantity: number) => aUse({ quantity: -quantity, corrects: 'e' });
    const read = { accounts: { u: { ...account, userId: 'u' } }, events: [event] };
    expect(
      outcomes(
        run(
          [
            ['u', adjust],
            ['u', correct(7)],
            ['u', correct(6)],
          ],
          read,
        ),
      ),
    ).toEqual(['recorded', 'correction_too_large', 'recorded']);
  });
});

describe('ended buckets are needed', () => {
  const account = fresh('u');
  it.each<[string, UsageCommand, boolean]>([
    ['for a correction', aUse({ quantity: -1, corrects: 'e' }), true],
    [
      'for what happened before the current period',
      aUse({ mode: 'record', timestamp: at('2026-04-09') }),
      true,
    ],
    ['not within it', aUse({ mode: 'record', timestamp: at('2026-04-11') }), false],
    ['not for what is enforced', aUse({ timestamp: at('2026-04-09') }), false],
    ['not for what happens now', aUse({ mode: 'record' }), false],
    ['not for reservations', confirm, false],
  ])('%s', (_what, command, expected) => {
    expect(needsEndedBuckets(account, command)).toBe(expected);
  });
});
