import type { Clock } from '@billing/domain';
import { LRUCache } from 'lru-cache';
import type { Database } from '../create-database.ts';
import { accountText } from './account-key.ts';
import type { Part } from './lines.ts';
import type { SourceCopies } from './source-copies.ts';
import { makeStates } from './state-rows.ts';
import { takeBatch } from './take-batch.ts';
import type { Taken } from './take-batch.ts';
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

export function createCommit({ database, clock, settings, sources, cache }: CommitDeps): CommitParts {
  /** Rows that were there: only others are made. */
  const states = new LRUCache<string, true>({ max: maxKnownStates });

  async function makeMissing(parts: readonly Part[]): Promise<void> {
    const missing = parts.flatMap(({ line }) => (states.get(line.text) === true ? [] : [line]));
    if (missing.length === 0) return;
    await makeStates(
      database,
      missing.map(({ key }) => key),
    );
    for (const { text } of missing) states.set(text, true);
  }

  return async (parts, { isPatient }) => {
    await makeMissing(parts);
    const accounts = parts.flatMap(({ line: { key } }) => {
      const read = sources.peek(key.projectId, key.userId);
      return read === undefined ? [] : [{ ...key, sources: read }];
    });
    const commands = parts.flatMap((part) => part.commands.map(({ asked }) => asked));
    let mark: UsageMark | null = null;
    const taken = await database.$transactJson((query) =>
      takeBatch(
        query,
        { accounts, commands, isPatient },
        {
          settings,
          now: clock(),
          mark: async (changed) => {
            mark = await cache.mark(changed);
            return mark !== null;
          },
        },
      ),
    );
    for (const one of taken.unchanged) cache.rememberAnswered(one, one.usageSeq);
    void cache.store(mark, taken.changed);
    // Who waited for a row and found none: it is gone (erased), and is made again.
    if (isPatient) for (const key of taken.contended) states.delete(accountText(key));
    return taken;
  };
}
