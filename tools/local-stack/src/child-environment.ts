import type { Settings } from './settings.ts';

/** Our own environment with these values; what was given as a file was read, and must not be given twice. */
export function childEnvironment(values: Record<string, string>): NodeJS.ProcessEnv {
  const files = Object.keys(values).map((name) => `${name}_FILE`);
  const inherited = Object.entries(process.env).filter(([name]) => !files.includes(name));
  return { ...Object.fromEntries(inherited), ...values };
}

type Addresses = {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly stripe: { readonly secretKey: string; readonly apiBase: string | undefined };
};

/** What API and worker need to know. */
export function appEnvironment(
  settings: Settings,
  { databaseUrl, redisUrl, stripe }: Addresses,
): NodeJS.ProcessEnv {
  return childEnvironment({
    PORT: String(settings.ports.api),
    WORKER_PORT: String(settings.ports.worker),
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    STRIPE_SECRET_KEY: stripe.secretKey,
    ...(stripe.apiBase === undefined ? {} : { STRIPE_API_BASE: stripe.apiBase }),
    STRIPE_WEBHOOK_SECRET: settings.webhookSecrets,
    ADMIN_API_KEY: settings.adminKeys,
  });
}
