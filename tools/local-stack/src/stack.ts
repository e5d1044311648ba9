import { migrate } from '@billing/platform';
import {
  appNodeArguments,
  ensureDatabase,
  startPostgres,
  startRedis,
  type PostgresServer,
  type RedisServer,
} from '@billing/testing';
import { startChild, type Child } from './child.ts';
import { appEnvironment, childEnvironment } from './child-environment.ts';
import { DEMO_PROJECT, seedDemo } from './demo.ts';
import { paths } from './paths.ts';
import { choosePorts, requireFreePort } from './ports.ts';
import type { Settings } from './settings.ts';
import { writeStackFile, type StackFile } from './stack-file.ts';

const LEFTOVERS_END_WITHIN_MS = 20_000;
const OFFLINE_KEY = 'sk_test_offline';

export interface Stack {
  readonly file: StackFile;
  readonly isOffline: boolean;
  /** From now on dead processes of ours are started again. */
  supervise(say: (line: string) => void): void;
}

interface Stoppable {
  readonly stop: () => Promise<void>;
}

/** What was started so far, to be stopped at the end, also when a start fails: our processes first. */
export interface Started {
  readonly processes: Stoppable[];
  readonly servers: Stoppable[];
}

interface Start {
  readonly settings: Settings;
  readonly started: Started;
  /** An earlier start was killed: what it left may take a moment to end. */
  readonly afterCrash: boolean;
  readonly say: (line: string) => void;
}

/** Starts what the environment does not give, migrates, seeds, and waits until all is ready. */
export async function startStack(start: Start): Promise<Stack> {
  const { settings, say } = start;
  await requirePorts(settings, start.afterCrash);
  const [servers, stripeChild] = await Promise.all([startServers(start), startOfflineStripe(start)]);
  const { databaseUrl, redisUrl } = servers;
  const { applied } = await migrate({ databaseUrl });
  if (applied.length > 0)
    say(`Migrated the database: ${applied.length} migration${applied.length > 1 ? 's' : ''}.`);
  const stripe = settings.stripe ?? { secretKey: OFFLINE_KEY, apiBase: urlOf(settings.ports.stripe) };
  const env = appEnvironment(settings, { databaseUrl, redisUrl, stripe });
  const [api, worker] = await Promise.all([
    startOwn(start, {
      name: 'api',
      script: 'apps/api/dist/main.js',
      nodeArguments: appNodeArguments,
      env,
      readyUrl: `${urlOf(settings.ports.api)}/ready`,
    }),
    startOwn(start, {
      name: 'worker',
      script: 'apps/worker/dist/main.js',
      nodeArguments: appNodeArguments,
      env,
      readyUrl: `${urlOf(settings.ports.worker)}/ready`,
    }),
  ]);
  const children = [api, worker, ...(stripeChild === undefined ? [] : [stripeChild])];
  await Promise.all(children.map((child) => child.untilReady()));
  const apiUrl = urlOf(settings.ports.api);
  const demo = await seedDemo({ apiUrl, adminSecret: settings.secrets.adminSecret, stripe });
  const describe = (): StackFile => ({
    api_url: apiUrl,
    worker_url: urlOf(settings.ports.worker),
    stripe_url: stripe.apiBase ?? 'https://api.stripe.com',
    database_url: databaseUrl,
    redis_url: redisUrl,
    project_id: DEMO_PROJECT,
    api_key: demo.apiKey,
    admin_api_key: settings.secrets.adminSecret,
    webhook_secret: settings.secrets.webhookSecret,
    prices: demo.prices,
    pids: {
      api: api.pid(),
      worker: worker.pid(),
      stripe: stripeChild?.pid() ?? null,
      postgres: servers.postgres?.pid ?? null,
      redis: servers.redis?.pid ?? null,
    },
  });
  return {
    file: describe(),
    isOffline: settings.stripe === undefined,
    supervise: (report) => superviseAll({ children, servers, report }, () => writeStackFile(describe())),
  };
}

function urlOf(port: number): string {
  return `http://127.0.0.1:${port}`;
}

async function requirePorts({ ports, stripe }: Settings, afterCrash: boolean): Promise<void> {
  const patienceMs = afterCrash ? LEFTOVERS_END_WITHIN_MS : 0;
  await requireFreePort({ port: ports.api, what: 'the API', variable: 'PORT' }, patienceMs);
  await requireFreePort({ port: ports.worker, what: 'the worker', variable: 'WORKER_PORT' }, patienceMs);
  if (stripe !== undefined) return;
  const offline = { port: ports.stripe, what: 'the offline Stripe', variable: 'OFFLINE_STRIPE_PORT' };
  await requireFreePort(offline, patienceMs);
}

interface Servers {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly postgres: PostgresServer | undefined;
  readonly redis: RedisServer | undefined;
}

async function startServers({ settings, started, say }: Start): Promise<Servers> {
  const ports = await choosePorts();
  // Registered one by one: when one fails, the other must be stopped. Redis first, as it may have to be installed.
  const redis =
    settings.redisUrl === undefined
      ? await startRedis({ dir: paths.redis, port: ports.redis, isPersistent: true, say })
      : undefined;
  if (redis !== undefined) started.servers.push(redis);
  const { postgresPassword: password } = settings.secrets;
  const postgres =
    settings.databaseUrl === undefined
      ? await startPostgres({ dir: paths.postgres, port: ports.postgres, password })
      : undefined;
  if (postgres !== undefined) started.servers.push(postgres);
  const databaseUrl = settings.databaseUrl ?? (postgres && (await ensureDatabase(postgres, 'billing')));
  const redisUrl = settings.redisUrl ?? redis?.url;
  if (databaseUrl === undefined || redisUrl === undefined)
    throw new TypeError('Servers are given or started.');
  return { databaseUrl, redisUrl, postgres, redis };
}

async function startOwn(
  { started }: Pick<Start, 'started'>,
  options: Parameters<typeof startChild>[0],
): Promise<Child> {
  const child = await startChild(options);
  started.processes.push(child);
  return child;
}

function startOfflineStripe(start: Start): Promise<Child | undefined> {
  const { settings } = start;
  if (settings.stripe !== undefined) return Promise.resolve(undefined);
  const env = childEnvironment({
    OFFLINE_STRIPE_PORT: String(settings.ports.stripe),
    OFFLINE_STRIPE_WEBHOOK_URL: `${urlOf(settings.ports.api)}/api/v1/webhooks/stripe`,
    STRIPE_WEBHOOK_SECRET: settings.secrets.webhookSecret,
  });
  const readyUrl = `${urlOf(settings.ports.stripe)}/healthz`;
  return startOwn(start, { name: 'stripe', script: 'tools/offline-stripe/dist/main.js', env, readyUrl });
}

interface Supervised {
  readonly children: readonly Child[];
  readonly servers: Servers;
  readonly report: (line: string) => void;
}

function superviseAll({ children, servers, report }: Supervised, rewriteStackFile: () => void): void {
  rewriteStackFile();
  for (const child of children) {
    child.supervise(() => {
      rewriteStackFile();
      report(`${child.name} ended and was started again (process ${child.pid()}).`);
    });
  }
  // A database that dies is news, but for a person: restarting it could hide what happened to its data.
  void servers.postgres?.exited.then(() =>
    report('Postgres ended. Its log is in .local/postgres/postgres.log.'),
  );
  void servers.redis?.exited.then(() => report('Redis ended. Its log is in .local/redis/redis.log.'));
}
