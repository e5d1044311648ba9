import type { Clock, CommandResult } from '@billing/domain';
import { LRUCache } from 'lru-cache';
import type { Database } from '../create-database.ts';
import { accountText } from './account-key.ts';
import { decideUnused } from './decide-unused.ts';
import type { UnusedAnswers } from './decide-unused.ts';
import type { Part } from './lines.ts';
import type { SourceCopies } from './source-copies.ts';
import { makeStates } from './state-rows.ts';
import { takeBatch } from './take-batch.ts';
import type { Batch, Taken } from './take-batch.ts';
import type { UsageCache, UsageMark } from './usage-cache.ts';
import type { UsageSettings } from './usage-settings.ts';

const maxKnownStates = 100_000;

export type CommitDeps = {
  database: Database;
  clock: Clock;
  settings: UsageSettings;
  sources: SourceCopies;
  cache: UsageCache;
};

/** Runs the transaction of a batch, and then hands the new copies to the cache. */
export type CommitParts = (parts: readonly Part[], options: { isPatient: boolean }) => Promise<Taken>;

const noAnswers: UnusedAnswers = new Map();
const nothingTaken: Taken = { results: [], changed: [], unchanged: [], contended: [] };

function toBatch(parts: readonly Part[], sources: SourceCopies): Pick<Batch, 'accounts' | 'commands'> {
  return {
    accounts: parts.flatMap(({ line: { key } }) => {
      const read = sources.peek(key.projectId, key.userId);
      return read === undefined ? [] : [{ ...key, sources: read }];
    }),
    commands: parts.flatMap((part) => part.commands.map(({ asked }) => asked)),
  };
}

/** The results of all parts in their order: some are answered already, the others were taken. */
function inOrder(
  parts: readonly Part[],
  answers: UnusedAnswers,
  results: Taken['results'],
): (CommandResult | null)[] {
  let next = 0;
  return parts.flatMap(({ line, commands }) => {
    const known = answers.get(line.text);
    if (known !== undefined) return known;
    next += commands.length;
    return results.slice(next - commands.length, next);
  });
}

export function createCommit({ database, clock, settings, sources, cache }: CommitDeps): CommitParts {
  /** Rows that were there: only others are looked for. */
  const states = new LRUCache<string, true>({ max: maxKnownStates });

  /** Answers what needs no row, and makes the rows that the others lack. */
  async function withoutRows(parts: readonly Part[]): Promise<UnusedAnswers> {
    const unseen = parts.filter(({ line }) => states.get(line.text) !== true);
    if (unseen.length === 0) return noAnswers;
    const answers = await decideUnused(database.$queryJson, toBatch(unseen, sources), {
      settings,
      now: clock(),
    });
    const needed = unseen.map(({ line }) => line).filter(({ text }) => !answers.has(text));
    if (needed.length > 0)
      await makeStates(
        database,
        needed.map(({ key }) => key),
      );
    for (const { text } of needed) states.set(text, true);
    return answers;
  }

  async function take(parts: readonly Part[], isPatient: boolean): Promise<Taken> {
    if (parts.length === 0) return nothingTaken;
    const batch = { ...toBatch(parts, sources), isPatient };
    let mark: UsageMark | null = null;
    const taken = await database.$transactJson((query) =>
      takeBatch(query, batch, {
        settings,
        now: clock(),
        mark: async (changed) => {
          mark = await cache.mark(changed);
          return mark !== null;
        },
      }),
    );
    for (const one of taken.unchanged) cache.rememberAnswered(one, one.usageSeq);
    void cache.store(mark, taken.changed);
    // Who waited for a row and found none: it is gone (erased), and is made again.
    if (isPatient) for (const key of taken.contended) states.delete(accountText(key));
    return taken;
  }

  return async (parts, { isPatient }) => {
    const answers = await withoutRows(parts);
    const taken = await take(
      parts.filter(({ line }) => !answers.has(line.text)),
      isPatient,
    );
    return { ...taken, results: inOrder(parts, answers, taken.results) };
  };
}
