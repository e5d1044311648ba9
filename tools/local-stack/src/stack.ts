import { migrate, writeJsonFile } from '@billing/platform';
import type { AppProcess } from '@billing/testing';
import { demoProject, seedDemo } from './demo.ts';
import type { Demo } from './demo.ts';
import { paths } from './paths.ts';
import { createLocalProcess, supervise, urlOf } from './processes.ts';
import type { ProgramName } from './processes.ts';
import { requirePorts, startServers } from './servers.ts';
import type { Servers, Stoppable } from './servers.ts';
import type { Settings } from './settings.ts';

/** `.local/stack.json`: where everything is, for tools and tests. A pid is null for what was not started here. */
export type StackFile = {
  api_url: string;
  console_url: string;
  worker_url: string;
  stripe_url: string;
  database_url: string;
  redis_url: string;
  project_id: string;
  api_key: string;
  admin_api_key: string;
  webhook_secret: string;
  prices: { subscription: string; payment: string };
  /** Of a process that `npm run dev` watches: its watcher's, which outlives restarts. `console`: in `npm run dev` only. */
  pids: Record<Exclude<ProgramName, 'console'> | 'postgres' | 'redis', number | null> & { console?: number };
};

/** What was started so far, to be stopped at the end, also when a start fails: our processes first. */
export type Started = { processes: Stoppable[]; servers: Stoppable[] };

export type StackOptions = {
  settings: Settings;
  started: Started;
  /** An earlier start was killed: what it left may take a moment to end. */
  afterCrash: boolean;
  /** Aborts when everything is to stop: nothing is started again from then on. */
  signal: AbortSignal;
  say: (line: string) => void;
  /** `npm run dev`: our processes run from source, and their output is shown. */
  onOutput: ((name: ProgramName, text: string) => void) | undefined;
};

type StripeAddress = { secretKey: string; apiBase: string | undefined };
type Parts = { servers: Servers; stripe: StripeAddress; children: AppProcess[] };

/** Starts what the environment does not name, migrates, seeds, waits until all is ready, and supervises it. */
export async function startStack(options: StackOptions): Promise<StackFile> {
  const { settings, say, onOutput } = options;
  const parts = await startParts(options);
  // A program with a mistake in its source becomes ready when the mistake is corrected.
  const readyWithinMs = onOutput === undefined ? 60_000 : Number.POSITIVE_INFINITY;
  await Promise.all(parts.children.map((child) => child.untilReady(readyWithinMs)));
  const demo = await seedDemo({
    apiUrl: urlOf(settings.ports.api),
    adminSecret: settings.secrets.adminSecret,
    stripe: parts.stripe,
  });
  const describe = (): StackFile => describeStack(settings, parts, demo);
  const writeStackFile = (): void => writeJsonFile(paths.stack, describe());
  writeStackFile();
  for (const child of parts.children) {
    const onRestart = (): void => {
      writeStackFile();
      say(`${child.name} ended and was started again (process ${child.pid()}).`);
    };
    void supervise(child, { signal: options.signal, onRestart });
  }
  reportEnds(parts.servers, say);
  return describe();
}

async function startParts(options: StackOptions): Promise<Parts> {
  const { settings, started, say } = options;
  const { ports } = settings;
  const isDev = options.onOutput !== undefined;
  await requirePorts(settings, { patienceMs: options.afterCrash ? 20_000 : 0, isDev });
  const [servers, offlineStripe] = await Promise.all([
    startServers({ settings, started: started.servers, say }),
    settings.stripe === undefined ? launch(options, 'stripe', offlineStripeValues(settings)) : undefined,
  ]);
  const { applied } = await migrate({ databaseUrl: servers.databaseUrl });
  if (applied.length > 0)
    say(`Migrated the database: ${applied.length} migration${applied.length > 1 ? 's' : ''}.`);
  const stripe = settings.stripe ?? { secretKey: 'sk_test_offline', apiBase: urlOf(ports.stripe) };
  const values = appValues(settings, servers, stripe);
  const apps = await Promise.all([
    launch(options, 'api', values),
    launch(options, 'worker', values),
    ...(isDev ? [launch(options, 'console', consoleValues(settings))] : []),
  ]);
  return { servers, stripe, children: offlineStripe === undefined ? apps : [...apps, offlineStripe] };
}

async function launch(
  { settings, started, onOutput }: StackOptions,
  name: ProgramName,
  values: Record<string, string>,
): Promise<AppProcess> {
  const child = createLocalProcess({ name, port: settings.ports[name], values, onOutput });
  await child.start();
  started.processes.push(child);
  return child;
}

const offlineStripeValues = ({ ports, secrets }: Settings): Record<string, string> => ({
  OFFLINE_STRIPE_PORT: String(ports.stripe),
  OFFLINE_STRIPE_WEBHOOK_URL: `${urlOf(ports.api)}/api/v1/webhooks/stripe`,
  STRIPE_WEBHOOK_SECRET: secrets.webhookSecret,
});

const consoleValues = ({ ports }: Settings): Record<string, string> => ({
  CONSOLE_PORT: String(ports.console),
  CONSOLE_API_URL: urlOf(ports.api),
});

/** The settings of API and worker. */
const appValues = (
  { ports, webhookSecrets, adminKeys, erasureKeys, webhookKeys, webhookNetworks }: Settings,
  { databaseUrl, redisUrl }: Servers,
  { secretKey, apiBase }: StripeAddress,
): Record<string, string> => ({
  PORT: String(ports.api),
  WORKER_PORT: String(ports.worker),
  DATABASE_URL: databaseUrl,
  REDIS_URL: redisUrl,
  STRIPE_SECRET_KEY: secretKey,
  ...(apiBase === undefined ? {} : { STRIPE_API_BASE: apiBase }),
  STRIPE_WEBHOOK_SECRET: webhookSecrets,
  ADMIN_API_KEY: adminKeys,
  ERASURE_KEY: erasureKeys,
  WEBHOOK_SECRET_KEY: webhookKeys,
  WEBHOOK_ALLOWED_NETWORKS: webhookNetworks,
  WEBHOOK_ALLOW_HTTP: 'true',
});

function describeStack(
  { ports, secrets }: Settings,
  { servers, stripe, children }: Parts,
  demo: Demo,
): StackFile {
  const pidOf = (name: ProgramName): number | null =>
    children.find((child) => child.name === name)?.pid() ?? null;
  const consolePid = pidOf('console');
  return {
    api_url: urlOf(ports.api),
    console_url: `${urlOf(consolePid === null ? ports.api : ports.console)}/console/`,
    worker_url: urlOf(ports.worker),
    stripe_url: stripe.apiBase ?? 'https://api.stripe.com',
    database_url: servers.databaseUrl,
    redis_url: servers.redisUrl,
    project_id: demoProject,
    api_key: demo.apiKey,
    admin_api_key: secrets.adminSecret,
    webhook_secret: secrets.webhookSecret,
    prices: demo.prices,
    pids: {
      api: pidOf('api'),
      worker: pidOf('worker'),
      stripe: pidOf('stripe'),
      postgres: servers.postgres?.pid ?? null,
      redis: servers.redis?.pid ?? null,
      ...(consolePid === null ? {} : { console: consolePid }),
    },
  };
}

/** A database that ends is reported, not restarted: that could hide what happened to its data. */
function reportEnds({ postgres, redis }: Servers, say: (line: string) => void): void {
  void postgres?.exited.then(() => say('Postgres ended. Its log is in .local/postgres/postgres.log.'));
  void redis?.exited.then(() => say('Redis ended. Its log is in .local/redis/redis.log.'));
}
