import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { waitFor } from '../wait-for.ts';
import { lastLogLines, startGuarded } from '../processes/guarded-process.ts';
import type { GuardedProcess } from '../processes/guarded-process.ts';
import { freePort } from '../processes/ports.ts';
import { findPostgresBinaries } from './postgres-binaries.ts';
import { clearStalePostmaster, initialize, unprivilegedPrefix } from './postgres-data.ts';

export type PostgresOptions = {
  /** Where data and log live. Absent: a temporary folder that is removed with the server. */
  dir?: string;
  /** Default: a free one. */
  port?: number;
  /** Of the user `postgres`; absent: connections from this machine need none. */
  password?: string;
  /** For throw-away data: no flushing to disk. */
  isVolatile?: boolean;
  /** Of the server, by name. */
  settings?: Readonly<Record<string, string>>;
};

/**
 * How the Postgres of all tests is set: nothing that the service does may depend on these. They are what no developer's
 * server has, so that what does depend on them fails here.
 */
export const oddSettings: Readonly<Record<string, string>> = {
  timezone: 'Asia/Kolkata',
  DateStyle: 'SQL, DMY',
  IntervalStyle: 'sql_standard',
  default_transaction_isolation: 'repeatable read',
  bytea_output: 'escape',
  extra_float_digits: '-3',
};

export type PostgresServer = Pick<GuardedProcess, 'pid' | 'exited' | 'kill' | 'isRunning'> & {
  port: number;
  /** Of the database `postgres`. */
  url: string;
  logFile: string;
  /** URL of another database on this server. */
  urlOf: (database: string) => string;
  stop: () => Promise<void>;
};

/** A folder in memory, where there is one with room: throw-away data need no disk. */
function findMemory(): string {
  const memory = '/dev/shm';
  const { bavail, bsize } = existsSync(memory) ? statfsSync(memory) : { bavail: 0, bsize: 0 };
  return bavail * bsize > 4 * 1024 ** 3 ? memory : tmpdir();
}

/** Starts a real Postgres on loopback and waits until it answers. It cannot outlive this process. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const binaries = findPostgresBinaries();
  const dir =
    options.dir ??
    mkdtempSync(join(options.isVolatile === true ? findMemory() : tmpdir(), 'billing-postgres-'));
  const dataDir = join(dir, 'data');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const prefix = unprivilegedPrefix(dataDir);
  const logFile = join(dir, 'postgres.log');
  try {
    if (!existsSync(join(dataDir, 'PG_VERSION')))
      initialize({ ...options, initdb: binaries.initdb, dataDir });
    await clearStalePostmaster(dataDir);
    const port = options.port ?? (await freePort());
    const guarded = await startGuarded({
      command: [...prefix, binaries.postgres, ...serverArguments({ dataDir, port }, options)],
      env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
      output: logFile,
      // "Fast": ends sessions, then stops. SIGTERM would wait for every client to leave.
      stopSignal: 'SIGINT',
      ...(options.dir === undefined ? { removeDir: dir } : {}),
    });
    const server = describe({ guarded, port, logFile }, options.password);
    await untilReady(server);
    return server;
  } catch (error) {
    if (options.dir === undefined) rmSync(dir, { recursive: true, force: true });
    throw error;
  }
}

function serverArguments(
  { dataDir, port }: { dataDir: string; port: number },
  { isVolatile, settings: given }: PostgresOptions,
): string[] {
  const settings: Record<string, string | number> = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: 200,
    timezone: 'UTC',
    log_timezone: 'UTC',
    jit: 'off',
    ...(isVolatile
      ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_wal_size: '512MB' }
      : {}),
    ...given,
  };
  return ['-D', dataDir, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

function describe(
  { guarded, port, logFile }: { guarded: GuardedProcess; port: number; logFile: string },
  password: string | undefined,
): PostgresServer {
  const login = password === undefined ? 'postgres' : `postgres:${encodeURIComponent(password)}`;
  const urlOf = (database: string): string => `postgresql://${login}@127.0.0.1:${port}/${database}`;
  return { ...guarded, port, logFile, url: urlOf('postgres'), urlOf, stop: () => guarded.stop() };
}

async function untilReady(server: PostgresServer): Promise<void> {
  const answers = async (): Promise<boolean> => {
    if (!server.isRunning()) return true;
    const client = new Client({ connectionString: server.url, connectionTimeoutMillis: 2_000 });
    client.on('error', () => undefined);
    await client.connect();
    await client.end();
    return true;
  };
  await waitFor(answers, { timeoutMs: 60_000, what: 'Postgres to accept connections' });
  if (!server.isRunning())
    throw new Error(`Postgres ended while starting: ${lastLogLines(server.logFile, 3)}`);
}

/** Creates a database of this name unless it is there already. */
export async function ensureDatabase(server: PostgresServer, database: string): Promise<string> {
  const client = new Client({ connectionString: server.url });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(database)}`);
  } finally {
    await client.end();
  }
  return server.urlOf(database);
}
