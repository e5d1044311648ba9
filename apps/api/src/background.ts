import { startLoop, warmUp, withDeadline } from '@billing/platform';
import type { Loop } from '@billing/platform';
import { publishPending, findApiKey, readSources } from '@billing/store';
import { warmCheckout } from './checkout/warm-checkout.ts';
import type { AppDeps } from './deps.ts';

const publishEveryMs = 1_000;

/** Publishes invalidations that a process which died left pending, again and again. */
export const startPublishing = (deps: Pick<AppDeps, 'database' | 'cache' | 'logger'>): Loop =>
  startLoop({ name: 'publish', logger: deps.logger, intervalMs: publishEveryMs }, async () => {
    const published = deps.cache.isAvailable() ? await publishPending(deps) : 0;
    if (published > 0) deps.logger.info('pending_invalidations_published', { count: published });
    return 'rest';
  });

const beginEveryMs = 500;

/** Reaches what the process needs by itself, so that it is ready whether or not somebody has asked before an outage. */
export const startReaching = ({ readiness, logger }: Pick<AppDeps, 'readiness' | 'logger'>): Loop =>
  startLoop({ name: 'reach', logger, intervalMs: beginEveryMs }, async () => {
    if (!readiness.hasBegun()) await readiness.ask();
    return 'rest';
  });

const warmUpMs = 2_000;
/** After five runs Postgres plans a prepared statement for all values. */
const checkRounds = { rounds: 10, ms: 500 } as const;

/**
 * Runs the queries of a check and the way of a checkout before the server listens: a process's first ones take several
 * times as long as later ones; and all API keys are read. Where Postgres is away the server listens all the same.
 */
export async function prepareProcess(deps: Pick<AppDeps, 'database' | 'keys' | 'logger'>): Promise<void> {
  const { database, keys, logger } = deps;
  async function prepare(): Promise<void> {
    await Promise.all([keys.loaded, findApiKey(database, new Uint8Array(32))]);
    await warmUp(() => readSources(database, '', ['']), checkRounds);
    await warmCheckout(deps);
  }
  await withDeadline(prepare(), {
    ms: warmUpMs,
    onTimeout: () => new Error('Postgres did not answer in time'),
  }).catch((error: unknown) => logger.debug('not_warmed_up', { error }));
}
