import { isIP } from 'node:net';
import { redirectOrigin } from '@billing/domain';
import { databaseFields, envVar, loggingFields, redisFields, stripeFields } from '@billing/platform';
import { z } from 'zod';

const proxyNames = new Set(['loopback', 'linklocal', 'uniquelocal']);

function isProxyAddress(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  const isInRange =
    bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
  return version !== 0 && rest.length === 0 && isInRange;
}

/** Whose `X-Forwarded-For` is believed: how many proxies stand in front, or their addresses. */
const trustedProxies = z.string().transform((text, context): number | string[] => {
  if (/^\d$/.test(text.trim())) return Number(text);
  const proxies = text.split(',').map((part) => part.trim());
  if (proxies.every((proxy) => proxyNames.has(proxy) || isProxyAddress(proxy))) return proxies;
  context.addIssue({
    code: 'custom',
    message:
      'expected the number of proxies (0 to 9), or their addresses, comma-separated (192.0.2.1, 10.0.0.0/8, loopback)',
  });
  return z.NEVER;
});

/** Whose pages may read what a project key opens: the same kind of origin that a checkout may lead back to. */
const origins = z.string().transform((text, context): string[] => {
  const parsed = z.array(redirectOrigin).safeParse(text.split(',').map((part) => part.trim()));
  if (parsed.success) return [...new Set(parsed.data)];
  context.addIssue({
    code: 'custom',
    message: 'expected origins such as https://app.example.com (http for localhost only), comma-separated',
  });
  return z.NEVER;
});

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
  RATE_LIMIT_PER_SECOND: envVar.int({ min: 0, max: 1_000_000, default: 0 }),
  AUTH_FAILURES_PER_MINUTE: envVar.int({ min: 0, max: 60_000, default: 3_000 }),
  TRUST_PROXY: trustedProxies.optional(),
  CORS_ORIGINS: origins.optional(),
  API_PROCESSES: envVar.int({ min: 1, max: 64, default: 1 }),
});
export type Environment = z.output<typeof environmentSchema>;

/** What the handlers know of the environment. */
export type ApiConfig = {
  isProduction: boolean;
  webhookSecrets: readonly string[];
  adminKeys: readonly { name: string; secret: string }[];
  metricsToken: string | undefined;
  /** As Express's setting `trust proxy` takes it. */
  trustedProxies: number | string[] | false;
  /** Origins whose pages may call with a project key; empty: no CORS. */
  corsOrigins: readonly string[];
  /** The share of entitlement checks in the access log, 0 to 1; all other requests are in it. */
  accessLogSample: number;
  /** Connections to Postgres of this process. */
  databasePoolSize: number;
  pastDueGraceDays: number;
  renewalAllowanceMs: number;
};

export function toApiConfig(environment: Environment): ApiConfig {
  return {
    isProduction: environment.NODE_ENV === 'production',
    webhookSecrets: environment.STRIPE_WEBHOOK_SECRET,
    adminKeys: environment.ADMIN_API_KEY,
    metricsToken: environment.METRICS_TOKEN,
    trustedProxies: environment.TRUST_PROXY ?? false,
    corsOrigins: environment.CORS_ORIGINS ?? [],
    accessLogSample: environment.ACCESS_LOG_SAMPLE,
    databasePoolSize: environment.DATABASE_POOL_SIZE,
    pastDueGraceDays: environment.PAST_DUE_GRACE_DAYS,
    renewalAllowanceMs: environment.RENEWAL_ALLOWANCE_HOURS * 3_600_000,
  };
}
