import type { Instant } from '../time.ts';
import { listCauses } from './causes.ts';
import type { Cause } from './causes.ts';
import { changesBetween } from './told-list.ts';
import type { EntitlementChange, ToldEntry } from './told-list.ts';

/** What a project was told last of a user, or had when its base line was read. */
export type ToldState = {
  /** 0: nothing was told, and there was nothing to tell. */
  version: number;
  list: readonly ToldEntry[];
  /** When time alone may change the list next; null: never. */
  nextChangeAt: Instant | null;
};

export type Telling = {
  /** Null: nothing is known. */
  told: ToldState | null;
  /** A base line is under way and has not come to the user: what the project had of it is not known. */
  isUnknown: boolean;
  /** What a user has of whom nothing is known: by default products. */
  initial: readonly ToldEntry[];
  /** What a read says now. */
  now: ToldState;
  asOf: Instant;
  /** What may have changed the answer, oldest first. */
  causes: readonly string[];
  /** An endpoint wants such messages. */
  isWanted: boolean;
};

/** What a message says besides the state. */
export type ChangeMessage = {
  version: number;
  previousVersion: number | null;
  causes: string[];
  changes: EntitlementChange[];
};

export type DecidedTelling = {
  /** To be stored; null: it is stored. */
  state: ToldState | null;
  message: ChangeMessage | null;
  /** Time changed the answer, and nothing else gave it a new version: the user's has to grow. */
  isBumped: boolean;
};

const isPast = (at: string | null, asOf: Instant): boolean => at !== null && Date.parse(at) <= asOf;

/** What time did, where it may have done something. */
function timeCauses(
  { told, now, asOf, causes }: Telling & { told: ToldState },
  changes: readonly EntitlementChange[],
): Cause[] {
  const before = new Map(told.list.map((entry) => [entry.feature_code, entry]));
  const after = new Map(now.list.map((entry) => [entry.feature_code, entry]));
  const found = changes.flatMap(({ feature_code: code, change }): Cause[] => {
    if (change !== 'added' && isPast(before.get(code)?.valid_to ?? null, asOf)) return ['expired'];
    const start = after.get(code)?.valid_from ?? null;
    if (change !== 'removed' && start !== null && Date.parse(start) >= (told.nextChangeAt ?? 0))
      return ['started'];
    return [];
  });
  if (found.length > 0 || causes.length > 0) return found;
  return [changes.some(({ change }) => change === 'added') ? 'started' : 'expired'];
}

const previousOf = (told: ToldState | null): number | null =>
  told === null || told.version === 0 ? null : told.version;

/**
 * Whether a project is told that a user's answer has changed, and what is stored as told. Without a difference in the list
 * nothing is told. The version of a message is greater than that of the one before: the user's grows (`isBumped`) where time
 * alone changed the answer.
 */
export function decideTelling(telling: Telling): DecidedTelling {
  const { told, isUnknown, initial, now, asOf, causes, isWanted } = telling;
  const before: ToldState = told ?? { version: 0, list: initial, nextChangeAt: null };
  const changes = isUnknown ? [] : changesBetween(before.list, now.list);
  if (changes.length === 0 && !isUnknown) {
    const isStored = told !== null && told.nextChangeAt === now.nextChangeAt;
    return { state: isStored ? null : { ...now, version: before.version }, message: null, isBumped: false };
  }
  if (!isWanted) return { state: now, message: null, isBumped: false };
  const isTimePassed = before.nextChangeAt !== null && before.nextChangeAt <= asOf;
  const isBumped = !isUnknown && told !== null && (isTimePassed || now.version <= told.version);
  const version = isBumped ? now.version + 1 : now.version;
  const byTime = isTimePassed ? timeCauses({ ...telling, told: before }, changes) : [];
  return {
    state: { ...now, version },
    message: {
      version,
      previousVersion: isUnknown ? null : previousOf(told),
      causes: listCauses([...causes, ...byTime]),
      changes,
    },
    isBumped,
  };
}

/** A backfill tells what is in force, after what was decided: as it stands, with the version that it has. */
export function decideBackfill(
  { told, now }: Pick<Telling, 'told' | 'now'>,
  decided: DecidedTelling,
): { message: ChangeMessage; state: ToldState } {
  const version = decided.message?.version ?? now.version;
  return {
    message: {
      version,
      previousVersion: decided.message?.version ?? previousOf(told),
      causes: ['backfill'],
      changes: [],
    },
    state: { ...now, version },
  };
}
