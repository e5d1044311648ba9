import type { Clock, CommandResult } from '@billing/domain';
import { startLoop } from '@billing/platform';
import type { Logger, Loop, Metrics } from '@billing/platform';
import type { EntitlementCache } from '../cache/entitlement-cache.ts';
import type { Database } from '../create-database.ts';
import { createCommitter } from './create-committer.ts';
import type { Committer, UsageObserver } from './create-committer.ts';
import { createSourceCopies } from './source-copies.ts';
import type { AskedCommand } from './account-key.ts';
import { expireDueCommand } from './tidy-usage.ts';
import { followUnmarkedCommits } from './unmarked-commits.ts';
import { createUsageCache } from './usage-cache.ts';
import type { UsageCache } from './usage-cache.ts';
import type { UsageSettings } from './usage-settings.ts';

/** Usage in one process. */
export type Usage = {
  committer: Committer;
  cache: UsageCache;
  settings: UsageSettings;
  /** Follows commits that Redis was not told of: without it copies are served for a moment only. */
  follow: () => Loop;
};

/** All show a commit within a second. */
const followEveryMs = 200;

type Metered = Pick<Metrics, 'usageEvents' | 'usageBatchSize' | 'usageCommit' | 'usageUncovered'>;

export type UsageDeps = {
  database: Database;
  clock: Clock;
  settings: UsageSettings;
  cache: EntitlementCache;
  metrics: Metered;
  logger: Logger;
};

export function outcomeOf(result: CommandResult): string {
  if (result.kind === 'refused' || result.kind === 'failed') return result.kind;
  if (result.kind === 'reservation') return result.answer.state;
  const { duplicate, recorded, reason } = result.answer;
  if (duplicate) return 'duplicate';
  if (recorded) return 'recorded';
  return reason === 'stale' ? 'stale' : 'denied';
}

const modeOf = ({ command }: AskedCommand): string => (command.kind === 'use' ? command.mode : command.kind);

const observerOf = ({ metrics, logger }: Pick<UsageDeps, 'metrics' | 'logger'>): UsageObserver => ({
  batch(size, seconds) {
    metrics.usageBatchSize.observe(size);
    metrics.usageCommit.observe(seconds);
  },
  decided(asked, result) {
    if (asked.command === expireDueCommand) return;
    metrics.usageEvents.inc({ mode: modeOf(asked), outcome: outcomeOf(result) });
    if (result.kind === 'failed')
      logger.error('usage_not_decided', { kind: asked.command.kind, error: result.error });
  },
  uncovered: (quantity) => metrics.usageUncovered.inc(quantity),
});

export function createUsage({ database, clock, settings, cache, metrics, logger }: UsageDeps): Usage {
  const unmarked = followUnmarkedCommits({ database, clock });
  const usageCache = createUsageCache({ cache, clock, toldSince: unmarked.toldSince });
  const committer = createCommitter({
    database,
    clock,
    settings,
    cache: usageCache,
    sources: createSourceCopies(database),
    observe: observerOf({ metrics, logger }),
  });
  const follow = (): Loop =>
    startLoop({ name: 'follow_unmarked_usage', logger, intervalMs: followEveryMs }, async () => {
      await unmarked.ask();
      return 'rest';
    });
  return { committer, cache: usageCache, settings, follow };
}
