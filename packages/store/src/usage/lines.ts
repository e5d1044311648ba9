import type { CommandResult } from '@billing/domain';
import { LRUCache } from 'lru-cache';
import { isDatabaseUnavailable } from '../database-errors.ts';
import { accountText } from './account-key.ts';
import type { AccountKey, AskedCommand } from './account-key.ts';
import type { SourceCopies } from './source-copies.ts';

/** Commands of one batch. */
const maxBatch = 256;
/** How often a command is tried again because something changed under it. */
const maxAttempts = 6;
/** Accounts of which a command failed by itself go alone for a while. */
const maxSuspects = 10_000;
const suspectMs = 600_000;

/** Usage can't be taken now. Of a command that was under way it is not known whether it was taken. */
export class UsageUnavailable extends Error {
  override readonly name = 'UsageUnavailable';
}

export const asUnavailable = (error: unknown): unknown =>
  isDatabaseUnavailable(error) ? new UsageUnavailable('Postgres cannot answer', { cause: error }) : error;

export type Waiting = {
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
export type Line = { key: AccountKey; text: string; waiting: Waiting[]; most: number };
export type Part = { line: Line; commands: Waiting[] };

/** `free`: many accounts go together, and nobody waits; `patient`: an account goes alone, and may be waited for. */
export type Lane = 'free' | 'patient';

export type Lines = {
  add: (waiting: Waiting) => void;
  /** The next commands of a lane, of at most so many accounts. */
  next: (lane: Lane, mostLines: number) => Part[];
  hasNext: (lane: Lane) => boolean;
  /** A batch is done with the account: the next commands of it may go. */
  close: (line: Line) => void;
  /** Puts commands back where they were. */
  putBack: (part: Part, lane: Lane) => void;
  /** The same, once the user's sources were read again. */
  readAgain: (part: Part) => void;
  /** Of commands that failed together: fewer of them go together from now on. */
  divide: (part: Part) => void;
};

/** Of one account's line: commands whose caller still waits, at most so many. */
function takeFrom(line: Line, most: number): Waiting[] {
  const now = performance.now();
  const late = line.waiting.filter(({ endsAt }) => endsAt <= now);
  for (const one of late) one.reject(new UsageUnavailable('its turn came too late'));
  if (late.length > 0) line.waiting = line.waiting.filter(({ endsAt }) => endsAt > now);
  return line.waiting.splice(0, most);
}

const rejectAll = (commands: readonly Waiting[], error: unknown): void => {
  for (const one of commands) one.reject(asUnavailable(error));
};

/** Commands that may be tried once more; the others are given up. */
const notTooOften = (commands: readonly Waiting[], lane: Lane): Waiting[] =>
  commands.filter((one) => {
    // Waiting for another process costs no attempt: it ends with the caller's patience.
    one.attempts += lane === 'free' ? 1 : 0;
    if (one.attempts < maxAttempts) return true;
    one.reject(new UsageUnavailable('it was tried too often'));
    return false;
  });

function nextParts(from: Set<Line>, mostLines: number, close: (line: Line) => void): Part[] {
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

/** The commands that wait, by account. `onReady`: some can go. */
export function createLines({ sources, onReady }: { sources: SourceCopies; onReady: () => void }): Lines {
  const lines = new Map<string, Line>();
  const suspects = new LRUCache<string, true>({ max: maxSuspects, ttl: suspectMs });
  const queued = { free: new Set<Line>(), patient: new Set<Line>() };

  function enqueue(line: Line, lane: Lane): void {
    queued[lane].add(line);
    onReady();
  }

  function readSources(line: Line, onRead: () => void, onFailure: (error: unknown) => void): void {
    sources.read(line.key.projectId, line.key.userId).then(onRead, (error: unknown) => {
      onFailure(error);
      close(line);
    });
  }

  /** An account takes part in a batch once its user's sources are known. */
  function prepare(line: Line): void {
    const go = (): void => enqueue(line, suspects.has(line.text) ? 'patient' : 'free');
    if (sources.peek(line.key.projectId, line.key.userId) !== undefined) go();
    else readSources(line, go, (error) => rejectAll(line.waiting.splice(0), error));
  }

  function close(line: Line): void {
    line.most = maxBatch;
    if (line.waiting.length === 0) lines.delete(line.text);
    else prepare(line);
  }

  function putBack({ line, commands }: Part, lane: Lane): void {
    line.waiting.unshift(...notTooOften(commands, lane));
    enqueue(line, lane);
  }

  return {
    add(waiting) {
      const { command: _command, ...key } = waiting.asked;
      const text = accountText(key);
      const known = lines.get(text);
      if (known !== undefined) return void known.waiting.push(waiting);
      const line = { key, text, waiting: [waiting], most: maxBatch };
      lines.set(text, line);
      prepare(line);
    },
    next: (lane, mostLines) => nextParts(queued[lane], mostLines, close),
    hasNext: (lane) => queued[lane].size > 0,
    close,
    putBack,
    readAgain(part) {
      sources.forget(part.line.key.projectId, part.line.key.userId);
      readSources(
        part.line,
        () => putBack(part, 'free'),
        (error) => rejectAll(part.commands, error),
      );
    },
    divide({ line, commands }) {
      suspects.set(line.text, true);
      line.most = Math.ceil(commands.length / 2);
      line.waiting.unshift(...commands);
      enqueue(line, 'patient');
    },
  };
}
