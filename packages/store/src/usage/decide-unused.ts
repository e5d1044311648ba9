import { decideBatch, emptyUsageState } from '@billing/domain';
import type { CommandResult } from '@billing/domain';
import type { QueryJson } from '../query-json.ts';
import { accountText, groupByAccount } from './account-key.ts';
import { readUnused } from './read-batch.ts';
import { readyOf, toUsageBatch } from './take-batch.ts';
import type { Batch, Opened, TakeOptions } from './take-batch.ts';
import { accountOf, deriveSources } from './user-sources.ts';

/** By `accountText`: the answers to commands of accounts that stay without a row; null: not decided, the sources have changed. */
export type UnusedAnswers = ReadonlyMap<string, (CommandResult | null)[]>;

/** What is offered to an account that nothing was used of. */
const openUnused = (
  accounts: Batch['accounts'],
  { settings, now }: Pick<TakeOptions, 'settings' | 'now'>,
): Opened[] =>
  accounts.map(({ sources: read, ...key }) => {
    const sources = deriveSources(read, settings, now);
    return { ...key, sources, account: accountOf(sources, key.featureCode, emptyUsageState) };
  });

/**
 * Decides, without a lock, commands about accounts that have no row: what changes nothing is answered as of the moment of the
 * read, so that guessed users and codes leave nothing behind. Accounts that have a row, or need one, are not among the answers.
 */
export async function decideUnused(
  query: QueryJson,
  { accounts, commands }: Pick<Batch, 'accounts' | 'commands'>,
  { settings, now }: Pick<TakeOptions, 'settings' | 'now'>,
): Promise<UnusedAnswers> {
  const { read, used } = await readUnused(query, {
    accounts,
    commands,
    withHeld: [],
    withEnded: [],
    rememberedSince: new Date(Math.max(0, now - settings.retentionMs)),
  });
  const usedKeys = new Set(used.map(accountText));
  const unused = accounts.filter((one) => !usedKeys.has(accountText(one)));
  const ready = readyOf(openUnused(unused, { settings, now }), read);
  const batch = toUsageBatch(ready, read, { commands, now, lateMs: settings.lateMs });
  const answers = new Map<string, (CommandResult | null)[]>();
  for (const [account, own] of groupByAccount(commands)) {
    if (usedKeys.has(account)) continue;
    if (!ready.has(account)) {
      answers.set(
        account,
        own.map(() => null),
      );
      continue;
    }
    // Each for itself: no answer depends on what another account has not written yet.
    const { results, changes } = decideBatch(
      batch,
      own.map(({ projectId, command }) => ({ account, projectId, command })),
    );
    if (changes.size === 0) answers.set(account, results);
  }
  return answers;
}
