import { readBaseLine } from '@billing/sync';
import type { AppDeps } from '../../deps.ts';

/**
 * What a committed change of endpoints, or of whether a project is active, leaves to do before its answer: if the project began to
 * tell changes by it, what its users have at this moment is noted, so that the next change is compared with that. With many
 * users a worker does it.
 */
export const beginTelling = (
  { database, clock, logger, config }: Pick<AppDeps, 'database' | 'clock' | 'logger' | 'config'>,
  projectId: string,
): Promise<void> =>
  readBaseLine({ database, clock, logger, telling: { derivation: config.usage } }, projectId);
