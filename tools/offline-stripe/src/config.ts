import { readFileSync } from 'node:fs';
import { z } from 'zod';

const environment = z.object({
  OFFLINE_STRIPE_PORT: z.coerce.number().int().min(0).max(65_535).default(12_111),
  OFFLINE_STRIPE_HOST: z.string().min(1).default('127.0.0.1'),
  OFFLINE_STRIPE_PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  OFFLINE_STRIPE_STATE_DIR: z.string().min(1).default('.local/offline-stripe'),
  OFFLINE_STRIPE_WEBHOOK_URL: z
    .url({ protocol: /^https?$/ })
    .default('http://127.0.0.1:8000/api/v1/webhooks/stripe'),
  STRIPE_WEBHOOK_SECRET: z.string().min(1).default('whsec_offline'),
});

export type Config = {
  port: number;
  host: string;
  publicUrl?: string;
  stateDir: string;
  webhookUrl: string;
  webhookSecret: string;
};

/** The secret may be in a file, as for API and worker. */
function readSecretFile(path: string | undefined): { STRIPE_WEBHOOK_SECRET?: string } {
  return path === undefined || path === ''
    ? {}
    : { STRIPE_WEBHOOK_SECRET: readFileSync(path, 'utf8').trim() };
}

/** The settings, or the names of the bad variables (never their values). */
export function parseConfig(
  env: Record<string, string | undefined>,
): { config: Config } | { badVariables: string[] } {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  let fromFile: { STRIPE_WEBHOOK_SECRET?: string };
  try {
    fromFile = readSecretFile(env['STRIPE_WEBHOOK_SECRET_FILE']);
  } catch {
    return { badVariables: ['STRIPE_WEBHOOK_SECRET_FILE'] };
  }
  const parsed = environment.safeParse({ ...fromFile, ...given });
  if (!parsed.success) {
    return { badVariables: [...new Set(parsed.error.issues.map((issue) => String(issue.path[0])))] };
  }
  const settings = parsed.data;
  const [secret = ''] = settings.STRIPE_WEBHOOK_SECRET.split(',');
  return {
    config: {
      port: settings.OFFLINE_STRIPE_PORT,
      host: settings.OFFLINE_STRIPE_HOST,
      ...(settings.OFFLINE_STRIPE_PUBLIC_URL === undefined
        ? {}
        : { publicUrl: settings.OFFLINE_STRIPE_PUBLIC_URL.replace(/\/+$/, '') }),
      stateDir: settings.OFFLINE_STRIPE_STATE_DIR,
      webhookUrl: settings.OFFLINE_STRIPE_WEBHOOK_URL,
      webhookSecret: secret.trim(),
    },
  };
}
