import { withDeadline } from '@billing/platform';
import { publishPending, findApiKey, readSources } from '@billing/store';
import type { AppDeps } from './deps.ts';

const drainEveryMs = 1_000;

/** Settles invalidations that a process which died left behind, again and again; returns what ends it. */
export function startDraining(deps: Pick<AppDeps, 'database' | 'cache' | 'logger'>): () => void {
  let timer: NodeJS.Timeout | undefined;
  let isEnded = false;

  async function drain(): Promise<void> {
    try {
      const settled = deps.cache.isAvailable() ? await publishPending(deps) : 0;
      if (settled > 0) deps.logger.info('owed_invalidations_settled', { count: settled });
    } catch (error) {
      deps.logger.debug('owed_invalidations_not_settled', { error });
    }
    schedule();
  }

  function schedule(): void {
    if (isEnded) return;
    // Jittered: many processes must not ask in step.
    timer = setTimeout(() => void drain(), drainEveryMs * (0.75 + Math.random() / 2));
    timer.unref();
  }

  schedule();
  return () => {
    isEnded = true;
    clearTimeout(timer);
  };
}

const warmUpMs = 2_000;

/**
 * Runs the queries of a check once before the door opens: a process's first ones take several times as long as
 * a check may. Where Postgres is away the door opens all the same.
 */
export async function warmUp({ database, logger }: Pick<AppDeps, 'database' | 'logger'>): Promise<void> {
  const queries = Promise.all([findApiKey(database, new Uint8Array(32)), readSources(database, '', [''])]);
  await withDeadline(queries, {
    ms: warmUpMs,
    onTimeout: () => new Error('Postgres did not answer in time'),
  }).catch((error: unknown) => logger.debug('not_warmed_up', { error }));
}
