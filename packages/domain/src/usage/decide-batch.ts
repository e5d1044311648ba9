import type { ReservationOut, UsageOut } from '../contracts/usage.ts';
import type { Account } from './account.ts';
import { toReservationOut, toUsageOut } from './answers.ts';
import { noChange, joinChanges, lingersMs } from './change.ts';
import type { UsageChange } from './change.ts';
import { momentOf } from './commands.ts';
import type { EventCommand, Refusal, Reservation, ReservationCommand, UsageCommand } from './commands.ts';
import { decideEvent } from './decide-event.ts';
import { decideReservation } from './decide-reservation.ts';
import { expireDue } from './hold.ts';
import type { Instant } from '../time.ts';
import { unkeptBefore } from './rollover.ts';
import type { BucketTerms } from './terms.ts';
import type { UsageEvent } from './usage-event.ts';
import { grantingAt } from './usage-sources.ts';
import { bucketKey, findBucket } from './usage-state.ts';

/** A command, and whose it is. `account`: a key of the batch's accounts; ids are unique within `projectId`. */
export type BatchCommand = { account: string; projectId: string; command: UsageCommand };

/** What was read under the locks of the accounts. */
export type UsageBatch = {
  accounts: ReadonlyMap<string, Account>;
  /** Events of the batch's ids, those that are corrected included; by `knownKey`. Not those of reservations. */
  events: ReadonlyMap<string, UsageEvent>;
  /** By `knownKey`: those that are named, and all that are due. */
  reservations: ReadonlyMap<string, Reservation>;
  /** Of each account: reservations that are due, and when the next of the others is. Absent: none is open. */
  due: ReadonlyMap<string, { holds: readonly Reservation[]; nextDueAt: number | null }>;
  lateMs: number;
};

export type CommandResult =
  | { kind: 'event'; answer: UsageOut; isUncovered: boolean }
  | { kind: 'reservation'; answer: ReservationOut }
  | Refusal
  /** The decision itself failed: it concerns this command alone. */
  | { kind: 'failed'; error: unknown };

export type BatchResult = {
  /** In the order of the commands. */
  results: CommandResult[];
  /** What is to be written, by account; those that did not change are left out. */
  changes: Map<string, UsageChange>;
};

/** An id within its project. */
export const knownKey = (projectId: string, id: string): string => `${projectId.length}:${projectId}:${id}`;

/** What the batch has done so far. */
type Progress = {
  changes: Map<string, UsageChange>;
  events: Map<string, UsageEvent>;
  reservations: Map<string, Reservation>;
};

function keep(progress: Progress, { account, projectId }: BatchCommand, change: UsageChange): void {
  const { changes, events, reservations } = progress;
  const before = changes.get(account) ?? noChange(change.account);
  changes.set(account, joinChanges(before, change));
  for (const event of change.events)
    if (event.kind !== 'reservation') events.set(knownKey(projectId, event.eventId), event);
  for (const row of change.reservations) reservations.set(knownKey(projectId, row.reservationId), row);
  for (const { eventId, by } of change.corrected) {
    const key = knownKey(projectId, eventId);
    const original = events.get(key);
    if (original !== undefined) events.set(key, { ...original, corrected: original.corrected + by });
  }
}

function runEvent(
  account: Account,
  { asked, command }: { asked: BatchCommand; command: EventCommand },
  { progress, lateMs }: { progress: Progress; lateMs: number },
): CommandResult {
  const eventOf = (id: string | null) =>
    id === null ? null : (progress.events.get(knownKey(asked.projectId, id)) ?? null);
  const corrected = command.kind === 'use' ? eventOf(command.corrects) : null;
  const decision = decideEvent(account, command, { same: eventOf(command.eventId), corrected }, { lateMs });
  if (decision.kind === 'refused') return decision;
  if (decision.kind !== 'recorded')
    return { kind: 'event', answer: toUsageOut(account, command.eventId, decision), isUncovered: false };
  const { change } = decision;
  const answer = toUsageOut(change.account, command.eventId, decision);
  keep(progress, asked, change);
  return { kind: 'event', answer, isUncovered: change.uncovered > 0 };
}

function runReservation(
  account: Account,
  { asked, command }: { asked: BatchCommand; command: ReservationCommand },
  progress: Progress,
): CommandResult {
  const { reservationId } = command;
  const known = progress.reservations.get(knownKey(asked.projectId, reservationId)) ?? null;
  const decision = decideReservation(account, command, known);
  if (decision.kind === 'refused') return decision;
  if (decision.kind === 'denied')
    return { kind: 'reservation', answer: toReservationOut(account, reservationId, decision) };
  const answer = toReservationOut(decision.change.account, reservationId, decision);
  keep(progress, asked, decision.change);
  return { kind: 'reservation', answer };
}

/** The account as the batch has it by now; reservations that are due are let go before its first command. */
function openAccount(batch: UsageBatch, asked: BatchCommand, progress: Progress): Account | undefined {
  const changed = progress.changes.get(asked.account);
  if (changed !== undefined) return changed.account;
  const account = batch.accounts.get(asked.account);
  const due = batch.due.get(asked.account);
  if (account === undefined || due === undefined) return account;
  const expired = expireDue(account, due.holds, due.nextDueAt);
  if (expired.reservations.length > 0) keep(progress, asked, expired);
  return expired.account;
}

/**
 * Decides a batch: commands of one account take effect in the given order, and see what those before them did. A command
 * whose decision fails is left out; the others are decided.
 */
export function decideBatch(batch: UsageBatch, commands: readonly BatchCommand[]): BatchResult {
  const progress: Progress = {
    changes: new Map(),
    events: new Map(batch.events),
    reservations: new Map(batch.reservations),
  };
  const results = commands.map((asked): CommandResult => {
    try {
      const account = openAccount(batch, asked, progress);
      if (account === undefined) throw new Error('the batch has an account for each command');
      const { command } = asked;
      if (command.kind === 'use' || command.kind === 'set_level' || command.kind === 'adjust')
        return runEvent(account, { asked, command }, { progress, lateMs: batch.lateMs });
      return runReservation(account, { asked, command }, progress);
    } catch (error) {
      return { kind: 'failed', error };
    }
  });
  return { results, changes: progress.changes };
}

/** The end of a pack or a paid period can be put off after it has passed; other periods end by the calendar. */
const mayBeBack = ({ rule, start }: BucketTerms, now: Instant): boolean =>
  (rule.kind === 'once' || rule.kind === 'billing') && start <= now - lingersMs;

/**
 * By `bucketKey`, buckets that count now and are not in the state's row, but may be beside it, having ended before: those whose
 * end was put off (a pack bought in time and heard of late, a dispute that was won, a longer trial). `all`: one that rolls
 * over may be among them, as rollover began later.
 */
export function lackedBuckets({ offer, state }: Account): 'all' | readonly string[] {
  if (state.usageSeq === 0) return [];
  if (offer.terms.some((one) => unkeptBefore(one, state.buckets) !== null)) return 'all';
  return offer.terms
    .filter((one) => mayBeBack(one, offer.input.now) && findBucket(state.buckets, one) === undefined)
    .map(bucketKey);
}

/**
 * Whether the decision needs buckets that have ended, which are kept beside the state's row: a correction may give back
 * to one, and late usage may count for one: of an earlier period, or of a source that is over.
 */
export function needsEndedBuckets({ offer }: Account, command: UsageCommand): boolean {
  if (command.kind !== 'use') return false;
  const { corrects, mode } = command;
  const at = momentOf(command);
  if (corrects !== null) return true;
  if (at === null || mode !== 'record') return false;
  const { input, terms } = offer;
  return (
    terms.length === 0 ||
    terms.some(({ start }) => at < start) ||
    grantingAt(input, at).some(({ inForce }) => !inForce)
  );
}
