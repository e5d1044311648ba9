import { databaseFields, envVar, loggingFields, redisFields, stripeFields } from '@billing/platform';
import { z } from 'zod';

/** This process's environment. */
export const environmentSchema = z.object({
  ...loggingFields,
  ...databaseFields,
  ...redisFields,
  ...stripeFields,
  PORT: envVar.port(8000),
  STRIPE_WEBHOOK_SECRET: envVar.secretList(),
  ADMIN_API_KEY: envVar.namedSecrets(),
  ENTITLEMENT_CACHE_TTL_SECONDS: envVar.int({ min: 1, max: 86_400, default: 300 }),
  PAST_DUE_GRACE_DAYS: envVar.int({ min: 0, max: 365, default: 7 }),
  RENEWAL_ALLOWANCE_HOURS: envVar.number({ min: 0, max: 720, default: 24 }),
  ACCESS_LOG_SAMPLE: envVar.number({ min: 0, max: 1, default: 0 }),
  API_PROCESSES: envVar.int({ min: 1, max: 64, default: 1 }),
});
export type Environment = z.output<typeof environmentSchema>;

/** What the handlers know of the environment. */
export type ApiConfig = {
  isProduction: boolean;
  webhookSecrets: readonly string[];
  adminKeys: readonly { name: string; secret: string }[];
  metricsToken: string | undefined;
  /** The share of entitlement checks in the access log, 0 to 1; all other requests are in it. */
  accessLogSample: number;
  pastDueGraceDays: number;
  renewalAllowanceMs: number;
};

export function toApiConfig(environment: Environment): ApiConfig {
  return {
    isProduction: environment.NODE_ENV === 'production',
    webhookSecrets: environment.STRIPE_WEBHOOK_SECRET,
    adminKeys: environment.ADMIN_API_KEY,
    metricsToken: environment.METRICS_TOKEN,
    accessLogSample: environment.ACCESS_LOG_SAMPLE,
    pastDueGraceDays: environment.PAST_DUE_GRACE_DAYS,
    renewalAllowanceMs: environment.RENEWAL_ALLOWANCE_HOURS * 3_600_000,
  };
}
