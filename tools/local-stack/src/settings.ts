import { randomBytes } from 'node:crypto';
import {
  ConfigError,
  databaseFields,
  envVar,
  erasureFields,
  parseEnv,
  readJsonFile,
  redisFields,
  stripeModeOf,
  webhookFields,
  writeJsonFile,
} from '@billing/platform';
import type { NamedSecret } from '@billing/platform';
import { z } from 'zod';
import { paths } from './paths.ts';

const environment = z.object({
  PORT: envVar.port(8000),
  WORKER_PORT: envVar.port(8001),
  OFFLINE_STRIPE_PORT: envVar.port(12_111),
  CONSOLE_PORT: envVar.port(5173),
  DATABASE_URL: databaseFields.DATABASE_URL.optional(),
  REDIS_URL: redisFields.REDIS_URL.optional(),
  STRIPE_SECRET_KEY: envVar.optionalSecret(
    /^[sr]k_(test|live)_\S+$/,
    'a Stripe secret key (sk_test_… or rk_test_…)',
  ),
  STRIPE_API_BASE: envVar.optionalUrl(['http:', 'https:']),
  STRIPE_WEBHOOK_SECRET: envVar.secretList().optional(),
  ADMIN_API_KEY: envVar.namedSecrets().optional(),
  ...erasureFields,
  WEBHOOK_SECRET_KEY: webhookFields.WEBHOOK_SECRET_KEY,
  WEBHOOK_ALLOWED_NETWORKS: envVar.text().optional(),
});

const secretsFile = z.object({
  adminSecret: z.string(),
  webhookSecret: z.string(),
  postgresPassword: z.string(),
  /** Absent: made by an older version. */
  erasureKey: z.string().optional(),
  /** Absent: the same. */
  webhookKey: z.string().optional(),
});

type Secrets = z.infer<typeof secretsFile> & { erasureKey: string; webhookKey: string };

export type Settings = {
  /** `console`: of its pages from source, in `npm run dev`; else the API serves them. */
  ports: { api: number; worker: number; stripe: number; console: number };
  /** Of a server that the environment names; one that it does not name is started here. */
  databaseUrl: string | undefined;
  redisUrl: string | undefined;
  stripe: { secretKey: string; apiBase: string | undefined } | undefined;
  secrets: Secrets;
  /** As `STRIPE_WEBHOOK_SECRET` and `ADMIN_API_KEY` take them. */
  webhookSecrets: string;
  adminKeys: string;
  /** As `ERASURE_KEY` takes it. */
  erasureKeys: string;
  /** As `WEBHOOK_SECRET_KEY` takes it. */
  webhookKeys: string;
  /** As `WEBHOOK_ALLOWED_NETWORKS` takes it: this machine too. */
  webhookNetworks: string;
};

/** Where a receiver under development is. */
const thisMachine = ['127.0.0.0/8', '::1/128'];

/** Reads the environment, and the secrets of this checkout, which are made at the first start. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const given = parseEnv(environment, env);
  const { STRIPE_SECRET_KEY: secretKey, STRIPE_API_BASE: apiBase } = given;
  if (secretKey !== undefined && stripeModeOf(secretKey) === 'live') {
    throw new ConfigError(
      'STRIPE_SECRET_KEY is a live key: npm start makes demo products, so give it a test key.',
    );
  }
  const secrets = readSecrets(given.STRIPE_WEBHOOK_SECRET?.[0]);
  return {
    ports: {
      api: given.PORT,
      worker: given.WORKER_PORT,
      stripe: given.OFFLINE_STRIPE_PORT,
      console: given.CONSOLE_PORT,
    },
    databaseUrl: given.DATABASE_URL,
    redisUrl: given.REDIS_URL,
    stripe: secretKey === undefined ? undefined : { secretKey, apiBase },
    secrets,
    erasureKeys: given.ERASURE_KEY?.join(',') ?? secrets.erasureKey,
    webhookKeys: given.WEBHOOK_SECRET_KEY?.join(',') ?? secrets.webhookKey,
    webhookNetworks: [...thisMachine, given.WEBHOOK_ALLOWED_NETWORKS ?? []].flat().join(','),
    webhookSecrets: given.STRIPE_WEBHOOK_SECRET?.join(',') ?? secrets.webhookSecret,
    adminKeys: [`local:${secrets.adminSecret}`, ...(given.ADMIN_API_KEY ?? []).map(writeNamedSecret)].join(
      ',',
    ),
  };
}

const writeNamedSecret = ({ name, role, projectId, secret }: NamedSecret): string =>
  `${[name, role, ...(projectId === null ? [] : [encodeURIComponent(projectId)])].join('/')}:${secret}`;

function random(): string {
  return randomBytes(24).toString('hex');
}

function readSecrets(givenWebhookSecret: string | undefined): Secrets {
  const kept = readJsonFile(paths.secrets, secretsFile);
  const secrets = {
    adminSecret: random(),
    webhookSecret: `whsec_${random()}`,
    postgresPassword: random(),
    ...kept,
    erasureKey: kept?.erasureKey ?? randomBytes(32).toString('base64'),
    webhookKey: kept?.webhookKey ?? randomBytes(32).toString('base64'),
  };
  if (kept?.erasureKey === undefined || kept.webhookKey === undefined) writeJsonFile(paths.secrets, secrets);
  return givenWebhookSecret === undefined ? secrets : { ...secrets, webhookSecret: givenWebhookSecret };
}
