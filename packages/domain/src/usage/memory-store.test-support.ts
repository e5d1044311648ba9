import type { Account } from './account.ts';
import { accountOf, lateMs } from './usage.test-support.ts';
import type { Scene } from './usage.test-support.ts';
import type { Reservation, UsageCommand } from './commands.ts';
import { splitBuckets } from './change.ts';
import { decideBatch, knownKey, lackedBuckets, needsEndedBuckets } from './decide-batch.ts';
import type { CommandResult } from './decide-batch.ts';
import { isDue } from './hold.ts';
import { bucketKey, isSameBucket, emptyUsageState } from './usage-state.ts';
import type { BucketState, UsageState } from './usage-state.ts';
import type { UsageEvent } from './usage-event.ts';

/** Keeps what the service's tables keep, of one user and feature, and reads it back for each batch. */
export function createMemoryStore(first: Scene) {
  let scene = first;
  /** What the row of the state holds, and the buckets that have ended beside it. */
  let row: UsageState = emptyUsageState;
  let ended: BucketState[] = [];
  const events: UsageEvent[] = [];
  const reservations = new Map<string, Reservation>();
  let uncovered = 0;

  const read = (beside: readonly BucketState[] = ended): Account =>
    accountOf({ ...scene, state: { ...row, buckets: [...row.buckets, ...beside] } });

  /** The ended buckets that are read for a batch. */
  function besideFor(commands: readonly UsageCommand[]): readonly BucketState[] {
    const live = read([]);
    if (commands.some((command) => needsEndedBuckets(live, command))) return ended;
    const lacked = lackedBuckets(live);
    return lacked === 'all' ? ended : ended.filter((one) => lacked.includes(bucketKey(one)));
  }

  function dueOf({ offer }: Account) {
    const open = [...reservations.values()].filter((one) => one.state === 'held');
    const holds = open.filter((one) => isDue(one, offer.input.now));
    const next = open.filter((one) => !holds.includes(one)).map((one) => one.expiresAt);
    return { holds, nextDueAt: next.length === 0 ? null : Math.min(...next) };
  }

  function write(account: Account): void {
    const { live, ended: over } = splitBuckets(account);
    ended = [...ended.filter((one) => ![...live, ...over].some((two) => isSameBucket(one, two))), ...over];
    row = { ...account.state, buckets: live };
  }

  function run(commands: readonly UsageCommand[]): CommandResult[] {
    const account = read(besideFor(commands));
    const { results, changes } = decideBatch(
      {
        accounts: new Map([['a', account]]),
        events: new Map(
          events.filter((one) => one.kind !== 'reservation').map((one) => [knownKey('p', one.eventId), one]),
        ),
        reservations: new Map([...reservations].map(([id, one]) => [knownKey('p', id), one])),
        due: new Map([['a', dueOf(account)]]),
        lateMs,
      },
      commands.map((command) => ({ account: 'a', projectId: 'p', command })),
    );
    const change = changes.get('a');
    if (change === undefined) return results;
    events.push(...change.events);
    for (const one of change.reservations) reservations.set(one.reservationId, one);
    for (const { eventId, by } of change.corrected) {
      const at = events.findIndex((one) => one.kind !== 'reservation' && one.eventId === eventId);
      const original = events[at];
      if (original === undefined) throw new Error('corrects nothing');
      events[at] = { ...original, corrected: original.corrected + by };
    }
    uncovered += change.uncovered;
    write(change.account);
    return results;
  }

  return {
    run,
    move: (next: Partial<Scene>) => {
      scene = { ...scene, ...next };
    },
    /** With all buckets, those that have ended included. */
    account: () => read(),
    now: () => read([]).offer.input.now,
    events: () => events,
    reservations: () => [...reservations.values()],
    uncovered: () => uncovered,
  };
}

export type MemoryStore = ReturnType<typeof createMemoryStore>;
