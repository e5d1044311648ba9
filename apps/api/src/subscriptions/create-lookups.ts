import type { RedisClient } from '@billing/platform';
import { createLookupMetrics, createReadBudget, createSharedLookups } from '@billing/sync';
import type { ApiConfig } from '../config.ts';
import type { AppDeps } from '../deps.ts';

/** What looking objects up at Stripe takes. */
export const createLookups = (
  { queuePrefix: prefix, stripeReadsPerSecond: perSecond }: ApiConfig,
  { redis, clock, metrics }: Pick<AppDeps, 'clock' | 'metrics'> & { redis: RedisClient },
): Pick<AppDeps, 'budget' | 'subscriptionLookups' | 'counters'> => ({
  budget: createReadBudget({ redis, prefix, perSecond, clock }),
  subscriptionLookups: createSharedLookups(),
  counters: createLookupMetrics(metrics),
});
