import type { Clock, CommandResult } from '@billing/domain';
import { LRUCache } from 'lru-cache';
import type { Database } from '../create-database.ts';
import { isDatabaseUnavailable, isLockNotAvailable } from '../database-errors.ts';
import { accountText } from './account-key.ts';
import type { AccountKey } from './account-key.ts';
import type { SourceCopies } from './source-copies.ts';
import { makeStates } from './state-rows.ts';
import { takeBatch } from './take-batch.ts';
import type { AskedCommand, Taken, TakenAccount } from './take-batch.ts';
import type { UsageCache, UsageMark } from './usage-cache.ts';
import type { UsageSettings } from './usage-settings.ts';
import { lacksUsageWeek, makeUsageWeek, weekOf } from './usage-weeks.ts';
import { IdTaken } from './write-batch.ts';

/** Commands of one batch. */
const maxBatch = 256;
/** Transactions that run at a time, and those besides that wait for an account which another process holds. */
const lanes = { free: 2, patient: 2 } as const;
/** How often a command is tried again because something changed under it. */
const maxAttempts = 6;
const maxKnownStates = 100_000;
/** Accounts of which a command failed by itself go alone for a while. */
const maxSuspects = 10_000;
const suspectMs = 600_000;

/** Usage can't be taken now. Of a command that was under way it is not known whether it was taken. */
export class UsageUnavailable extends Error {
  override readonly name = 'UsageUnavailable';
}

/** What is told of each batch and each decision. */
export type UsageObserver = {
  batch: (size: number, seconds: number) => void;
  decided: (asked: AskedCommand, result: CommandResult) => void;
  /** What was recorded although nothing covered it. */
  uncovered: (quantity: number) => void;
};

export type CommitterDeps = {
  database: Database;
  clock: Clock;
  settings: UsageSettings;
  sources: SourceCopies;
  cache: UsageCache;
  observe: UsageObserver;
};

export type Committer = {
  /**
   * Decides a command and commits what it changes. Resolves after the commit. `endsAt` (of `performance.now()`): from then
   * on a command that still waits is dropped. Rejects with `UsageUnavailable` where Postgres cannot answer.
   */
  submit: (asked: AskedCommand, options: { endsAt: number }) => Promise<CommandResult>;
};

type Waiting = {
  asked: AskedCommand;
  endsAt: number;
  attempts: number;
  resolve: (result: CommandResult) => void;
  reject: (error: unknown) => void;
};

/**
 * The commands of one account, in their order; only one batch at a time has some of an account. `most`: how many of them
 * go together, fewer where they failed together.
 */
type Line = { key: AccountKey; text: string; waiting: Waiting[]; most: number };
type Part = { line: Line; commands: Waiting[] };

type Committed = { taken: Taken; changed: readonly TakenAccount[]; mark: UsageMark | null };

/** Runs the transaction of one batch. */
async function commit(
  deps: CommitterDeps,
  parts: readonly Part[],
  { isPatient }: { isPatient: boolean },
): Promise<Committed> {
  const { database, clock, settings, sources, cache } = deps;
  const accounts = parts.flatMap(({ line: { key } }) => {
    const read = sources.peek(key.projectId, key.userId);
    return read === undefined ? [] : [{ ...key, sources: read }];
  });
  const commands = parts.flatMap((part) => part.commands.map(({ asked }) => asked));
  return database.$transactJson(async (query) => {
    let changed: readonly TakenAccount[] = [];
    let mark: UsageMark | null = null;
    const taken = await takeBatch(
      query,
      { accounts, commands, isPatient },
      {
        settings,
        now: clock(),
        mark: async (all) => {
          changed = all;
          mark = await cache.mark(all);
        },
      },
    );
    return { taken, changed, mark };
  });
}

/** Of one account's line: commands whose caller still waits, at most so many. */
function takeFrom(line: Line, most: number): Waiting[] {
  const now = performance.now();
  const late = line.waiting.filter(({ endsAt }) => endsAt <= now);
  for (const one of late) one.reject(new UsageUnavailable('its turn came too late'));
  if (late.length > 0) line.waiting = line.waiting.filter(({ endsAt }) => endsAt > now);
  return line.waiting.splice(0, most);
}

/**
 * Commits in groups: commands that arrive while a batch is under way form the next one. Two batches run at a time, of
 * different accounts. An account that another process holds is left out of the batch and waited for by itself, and a batch
 * that fails for a reason of its own is tried again in parts, so that one user's trouble delays nobody.
 */
export function createCommitter(deps: CommitterDeps): Committer {
  const { database, clock, sources, cache, observe } = deps;
  const lines = new Map<string, Line>();
  const states = new LRUCache<string, true>({ max: maxKnownStates });
  const suspects = new LRUCache<string, true>({ max: maxSuspects, ttl: suspectMs });
  const queued = { free: new Set<Line>(), patient: new Set<Line>() };
  const running = { free: 0, patient: 0 };
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    // After this turn of the event loop, so that all its commands go together.
    setImmediate(() => {
      isScheduled = false;
      pump();
    });
  }

  function enqueue(line: Line, lane: 'free' | 'patient'): void {
    queued[lane].add(line);
    schedule();
  }

  /** Reads what its user's sources are, where they are not known, before the account takes part in a batch. */
  function prepare(line: Line): void {
    const { projectId, userId } = line.key;
    const lane = suspects.has(line.text) ? 'patient' : 'free';
    if (sources.peek(projectId, userId) !== undefined) return enqueue(line, lane);
    sources.read(projectId, userId).then(
      () => enqueue(line, lane),
      (error: unknown) => {
        for (const one of line.waiting.splice(0)) one.reject(asUnavailable(error));
        close(line);
      },
    );
  }

  function close(line: Line): void {
    if (line.waiting.length === 0) lines.delete(line.text);
    else prepare(line);
  }

  function pump(): void {
    while (running.free < lanes.free && queued.free.size > 0) {
      const parts = nextParts(queued.free, Number.POSITIVE_INFINITY);
      if (parts.length > 0) void run(parts, 'free');
    }
    while (running.patient < lanes.patient && queued.patient.size > 0) {
      const parts = nextParts(queued.patient, 1);
      if (parts.length > 0) void run(parts, 'patient');
    }
  }

  function nextParts(from: Set<Line>, mostLines: number): Part[] {
    const parts: Part[] = [];
    let left = maxBatch;
    for (const line of from) {
      if (left === 0 || parts.length === mostLines) break;
      from.delete(line);
      const commands = takeFrom(line, Math.min(left, line.most));
      left -= commands.length;
      if (commands.length > 0) parts.push({ line, commands });
      else close(line);
    }
    return parts;
  }

  async function run(parts: Part[], lane: 'free' | 'patient'): Promise<void> {
    running[lane] += 1;
    try {
      await attempt(parts, lane === 'patient');
    } finally {
      running[lane] -= 1;
      schedule();
    }
  }

  async function attempt(parts: Part[], isPatient: boolean): Promise<void> {
    const startedAt = performance.now();
    try {
      await makeMissing(parts);
      const committed = await commit(deps, parts, { isPatient });
      const size = committed.taken.results.filter((result) => result !== null).length;
      if (size > 0) observe.batch(size, (performance.now() - startedAt) / 1000);
      void cache.store(committed.mark, committed.changed);
      answer(parts, committed, isPatient);
    } catch (error) {
      await afterFailure(parts, error, isPatient);
    }
  }

  async function makeMissing(parts: readonly Part[]): Promise<void> {
    const missing = parts.flatMap(({ line }) => (states.get(line.text) === true ? [] : [line]));
    if (missing.length === 0) return;
    await makeStates(
      database,
      missing.map(({ key }) => key),
    );
    for (const { text } of missing) states.set(text, true);
  }

  function answer(parts: readonly Part[], { taken, changed }: Committed, isPatient: boolean): void {
    const contended = new Set(taken.contended.map(accountText));
    let next = 0;
    for (const { line, commands } of parts) {
      const results = taken.results.slice(next, next + commands.length);
      next += commands.length;
      const undecided = commands.filter((one, at) => {
        const result = results[at] ?? null;
        if (result !== null) {
          observe.decided(one.asked, result);
          one.resolve(result);
        }
        return result === null;
      });
      line.most = maxBatch;
      // Who waited for the row finds none: it is gone (erased), and is made again.
      if (isPatient && contended.has(line.text)) states.delete(line.text);
      if (undecided.length === 0) close(line);
      else if (contended.has(line.text)) again({ line, commands: undecided }, 'patient');
      else readAgain({ line, commands: undecided });
    }
    for (const { change } of changed)
      if (change !== null && change.uncovered > 0) observe.uncovered(change.uncovered);
  }

  /** Puts commands back where they were. */
  function again({ line, commands }: Part, lane: 'free' | 'patient'): void {
    const kept = commands.filter((one) => {
      one.attempts += lane === 'free' ? 1 : 0;
      if (one.attempts < maxAttempts) return true;
      one.reject(new UsageUnavailable('it was tried too often'));
      return false;
    });
    line.waiting.unshift(...kept);
    enqueue(line, lane);
  }

  function readAgain(part: Part): void {
    const { line } = part;
    sources.forget(line.key.projectId, line.key.userId);
    sources.read(line.key.projectId, line.key.userId).then(
      () => again(part, 'free'),
      (error: unknown) => {
        for (const one of part.commands) one.reject(asUnavailable(error));
        close(line);
      },
    );
  }

  async function afterFailure(parts: Part[], error: unknown, isPatient: boolean): Promise<void> {
    if (isPatient && isLockNotAvailable(error)) {
      for (const part of parts) again(part, 'patient');
      return;
    }
    if (lacksUsageWeek(error) && (await madeWeek())) {
      for (const part of parts) again(part, 'free');
      return;
    }
    if (error instanceof IdTaken) {
      for (const part of parts) again(part, 'free');
      return;
    }
    if (isDatabaseUnavailable(error)) return rejectAll(parts, asUnavailable(error));
    await apart(parts, error, isPatient);
  }

  /** Something in the batch cannot be decided or written: the rest of it can. */
  async function apart(parts: Part[], error: unknown, isPatient: boolean): Promise<void> {
    const [only] = parts;
    if (only !== undefined && parts.length === 1) {
      const { line, commands } = only;
      suspects.set(line.text, true);
      if (commands.length === 1) return rejectAll(parts, error);
      line.most = Math.ceil(commands.length / 2);
      line.waiting.unshift(...commands);
      return enqueue(line, 'patient');
    }
    const middle = Math.floor(parts.length / 2);
    await attempt(parts.slice(0, middle), isPatient);
    await attempt(parts.slice(middle), isPatient);
  }

  const madeWeek = (): Promise<boolean> =>
    makeUsageWeek(database, weekOf(clock())).then(
      () => true,
      () => false,
    );

  function rejectAll(parts: readonly Part[], error: unknown): void {
    for (const { line, commands } of parts) {
      for (const one of commands) one.reject(error);
      close(line);
    }
  }

  return {
    submit: (asked, { endsAt }) =>
      new Promise((resolve, reject) => {
        const { command: _, ...key } = asked;
        const text = accountText(key);
        const waiting = { asked, endsAt, attempts: 0, resolve, reject };
        const line = lines.get(text);
        if (line !== undefined) return void line.waiting.push(waiting);
        const opened = { key, text, waiting: [waiting], most: maxBatch };
        lines.set(text, opened);
        prepare(opened);
      }),
  };
}

const asUnavailable = (error: unknown): unknown =>
  isDatabaseUnavailable(error) ? new UsageUnavailable('Postgres cannot answer', { cause: error }) : error;
