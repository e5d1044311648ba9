import type { Clock, CommandResult } from '@billing/domain';
import type { Database } from '../create-database.ts';
import { isDatabaseUnavailable, isLockNotAvailable } from '../database-errors.ts';
import { accountText } from './account-key.ts';
import type { AskedCommand } from './account-key.ts';
import { createCommit } from './commit-parts.ts';
import type { CommitDeps, CommitParts } from './commit-parts.ts';
import { asUnavailable, createLines } from './lines.ts';
import type { Lane, Lines, Part } from './lines.ts';
import type { Taken } from './take-batch.ts';
import { lacksUsageWeek, makeUsageWeek, weekOf } from './usage-weeks.ts';
import { IdTaken } from './write-batch.ts';

/** Transactions that run at a time, and those besides of accounts that go alone. */
const mostRunning: Record<Lane, number> = { free: 2, patient: 2 };
const mostAccounts: Record<Lane, number> = { free: Number.POSITIVE_INFINITY, patient: 1 };

/** What is told of each batch and each decision. */
export type UsageObserver = {
  batch: (size: number, seconds: number) => void;
  decided: (asked: AskedCommand, result: CommandResult) => void;
  /** What was recorded although nothing covered it. */
  uncovered: (quantity: number) => void;
};

export type CommitterDeps = CommitDeps & { observe: UsageObserver };

export type Committer = {
  /**
   * Decides a command and commits what it changes. Resolves after the commit. `endsAt` (of `performance.now()`): from then
   * on a command that still waits is dropped. Rejects with `UsageUnavailable` where Postgres cannot answer.
   */
  submit: (asked: AskedCommand, options: { endsAt: number }) => Promise<CommandResult>;
};

/** Gives the callers of a batch their answers; what was not decided goes back to its line. */
function answer(
  parts: readonly Part[],
  taken: Taken,
  { lines, observe }: { lines: Lines; observe: UsageObserver },
) {
  const contended = new Set(taken.contended.map(accountText));
  let next = 0;
  for (const { line, commands } of parts) {
    const results = taken.results.slice(next, next + commands.length);
    next += commands.length;
    const undecided = commands.filter((one, at) => {
      const result = results[at] ?? null;
      if (result === null) return true;
      observe.decided(one.asked, result);
      one.resolve(result);
      return false;
    });
    if (undecided.length === 0) lines.close(line);
    else if (contended.has(line.text)) lines.putBack({ line, commands: undecided }, 'patient');
    else lines.readAgain({ line, commands: undecided });
  }
  for (const { change } of taken.changed) if (change.uncovered > 0) observe.uncovered(change.uncovered);
}

/** Makes the present week, which was to be made long before. False: it cannot be made now. */
const makeThisWeek = (database: Database, clock: Clock): Promise<boolean> =>
  makeUsageWeek(database, weekOf(clock())).then(
    () => true,
    () => false,
  );

type AttemptDeps = Pick<CommitterDeps, 'database' | 'clock' | 'observe'> & {
  lines: Lines;
  commit: CommitParts;
};

/** Commits a batch. What fails is tried again where that helps, in parts where something in it is at fault. */
function createAttempt({ database, clock, observe, lines, commit }: AttemptDeps) {
  const putBack = (parts: readonly Part[], lane: Lane): void => {
    for (const part of parts) lines.putBack(part, lane);
  };
  const rejectAll = (parts: readonly Part[], error: unknown): void => {
    for (const { line, commands } of parts) {
      for (const one of commands) one.reject(error);
      lines.close(line);
    }
  };

  async function attempt(parts: readonly Part[], lane: Lane): Promise<void> {
    const startedAt = performance.now();
    try {
      const taken = await commit(parts, { isPatient: lane === 'patient' });
      const size = taken.results.filter((result) => result !== null).length;
      if (size > 0) observe.batch(size, (performance.now() - startedAt) / 1000);
      answer(parts, taken, { lines, observe });
    } catch (error) {
      if (lane === 'patient' && isLockNotAvailable(error)) return putBack(parts, 'patient');
      const isOver =
        error instanceof IdTaken || (lacksUsageWeek(error) && (await makeThisWeek(database, clock)));
      if (isOver) return putBack(parts, 'free');
      if (isDatabaseUnavailable(error)) return rejectAll(parts, asUnavailable(error));
      await apart(parts, lane, error);
    }
  }

  /** Something in the batch cannot be decided or written: the rest of it can. */
  async function apart(parts: readonly Part[], lane: Lane, error: unknown): Promise<void> {
    const [only] = parts;
    if (only === undefined) return;
    if (parts.length > 1) {
      const middle = Math.floor(parts.length / 2);
      await attempt(parts.slice(0, middle), lane);
      await attempt(parts.slice(middle), lane);
    } else if (only.commands.length > 1) lines.divide(only);
    else rejectAll(parts, error);
  }

  return attempt;
}

/**
 * Commits in groups: commands that arrive while a batch is under way form the next one. Two batches run at a time, of
 * different accounts. An account that another process holds is left out of the batch and waited for by itself, and a batch
 * that fails for a reason of its own is tried again in parts, so that one user's trouble delays nobody.
 */
export function createCommitter(deps: CommitterDeps): Committer {
  const running: Record<Lane, number> = { free: 0, patient: 0 };
  const lines = createLines({ sources: deps.sources, onReady: schedule });
  const attempt = createAttempt({ ...deps, lines, commit: createCommit(deps) });
  let isScheduled = false;

  /** After this turn of the event loop, so that all its commands go together. */
  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      pump('free');
      pump('patient');
    });
  }

  function pump(lane: Lane): void {
    while (running[lane] < mostRunning[lane] && lines.hasNext(lane)) {
      const parts = lines.next(lane, mostAccounts[lane]);
      if (parts.length === 0) continue;
      running[lane] += 1;
      void attempt(parts, lane).finally(() => {
        running[lane] -= 1;
        schedule();
      });
    }
  }

  return {
    submit: (asked, { endsAt }) =>
      new Promise((resolve, reject) => lines.add({ asked, endsAt, attempts: 0, resolve, reject })),
  };
}
