import { createLogger } from '@billing/platform';
import type { Logger } from '@billing/platform';
import type { ApiConfig } from './config.ts';

/** The log of an API process, in which no secret of its configuration appears. */
export function createProcessLogger(config: ApiConfig): Logger {
  return createLogger({
    service: 'api',
    level: config.logLevel,
    format: config.environment === 'production' ? 'json' : 'pretty',
    secrets: [
      config.stripeSecretKey,
      ...config.erasureKeys,
      ...config.webhooks.keys,
      config.webhooks.proxy,
      ...config.webhookSecrets,
      ...config.adminKeys.map(({ secret }) => secret),
      config.metricsToken,
      config.databaseUrl,
      ...config.replicaUrls,
      config.redisUrl,
      config.cacheRedisUrl,
    ],
  });
}
