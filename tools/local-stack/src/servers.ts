import { ensureDatabase, isPortFree, keepPort, startPostgres, startRedis, waitFor } from '@billing/testing';
import type { PostgresServer, RedisServer } from '@billing/testing';
import { readJsonFile, writeJsonFile } from '@billing/platform';
import { z } from 'zod';
import { paths } from './paths.ts';
import type { Settings } from './settings.ts';

const portsFile = z.object({ postgres: z.number(), redis: z.number() });

/** A server is absent where the environment names one. */
export type Servers = {
  databaseUrl: string;
  redisUrl: string;
  postgres: PostgresServer | undefined;
  redis: RedisServer | undefined;
};

export type Stoppable = { stop: () => Promise<unknown> };

type ServerOptions = {
  settings: Settings;
  /** Each server is added as soon as it runs: when another one fails, it must be stopped. */
  started: Stoppable[];
  say: (line: string) => void;
};

/** Starts Postgres and Redis where the environment does not name them. */
export async function startServers({ settings, started, say }: ServerOptions): Promise<Servers> {
  const ports = await choosePorts();
  let { databaseUrl, redisUrl } = settings;
  let redis: RedisServer | undefined;
  let postgres: PostgresServer | undefined;
  // Redis first, as it may have to be installed.
  if (redisUrl === undefined) {
    redis = await startRedis({ dir: paths.redis, port: ports.redis, isPersistent: true, say });
    started.push(redis);
    redisUrl = redis.url;
  }
  if (databaseUrl === undefined) {
    const password = settings.secrets.postgresPassword;
    postgres = await startPostgres({ dir: paths.postgres, port: ports.postgres, password });
    started.push(postgres);
    databaseUrl = await ensureDatabase(postgres, 'billing');
  }
  return { databaseUrl, redisUrl, postgres, redis };
}

/** Ports of Postgres and Redis: those of the last start if they are free, so that clients keep their addresses. */
async function choosePorts(): Promise<z.infer<typeof portsFile>> {
  const last = readJsonFile(paths.ports, portsFile);
  const postgres = await keepPort(last?.postgres);
  // Neither listens yet, so the system may offer one port twice.
  const ports = { postgres, redis: await keepPort(last?.redis, [postgres]) };
  writeJsonFile(paths.ports, ports);
  return ports;
}

/**
 * Throws, naming the port and the variable that changes it, where a port of our processes is in use.
 * `patienceMs`: how long what an earlier start left may take to end.
 */
export async function requirePorts(
  { ports, stripe }: Settings,
  { patienceMs, isDev }: { patienceMs: number; isDev: boolean },
): Promise<void> {
  const always = [
    { port: ports.api, what: 'the API', variable: 'PORT' },
    { port: ports.worker, what: 'the worker', variable: 'WORKER_PORT' },
  ];
  const needed = [
    ...always,
    // Where Stripe is given, the offline Stripe does not run.
    ...(stripe === undefined
      ? [{ port: ports.stripe, what: 'the offline Stripe', variable: 'OFFLINE_STRIPE_PORT' }]
      : []),
    ...(isDev ? [{ port: ports.console, what: 'the console', variable: 'CONSOLE_PORT' }] : []),
  ];
  for (const { port, what, variable } of needed) {
    const isFree = (): Promise<boolean> => isPortFree(port);
    await waitFor(isFree, { timeoutMs: patienceMs, intervalMs: 100, what: `port ${port}` }).catch(() => {
      throw new Error(
        `Port ${port}, for ${what}, is in use: stop what listens there or set ${variable} to another port.`,
      );
    });
  }
}
