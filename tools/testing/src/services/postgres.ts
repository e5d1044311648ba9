import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { waitFor } from '../wait-for.ts';
import { freePort } from './free-port.ts';
import { lastLogLines, startGuarded, type GuardedProcess } from './guarded-process.ts';
import { findPostgresBinaries } from './postgres-binaries.ts';
import { clearStalePostmaster } from './stale-postmaster.ts';
import { unprivilegedPrefix } from './unprivileged.ts';

export type PostgresOptions = {
  /** Where data and log live. Absent: a temporary folder that goes with the server. */
  readonly dir?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Of the user `postgres`; absent: connections from this machine need none. */
  readonly password?: string;
  /** For throw-away data: no flushing to disk. */
  readonly isVolatile?: boolean;
};

export type PostgresServer = {
  readonly port: number;
  /** Of the database `postgres`. */
  readonly url: string;
  readonly logFile: string;
  /** URL of another database on this server. */
  urlOf(database: string): string;
  stop(): Promise<void>;
} & Pick<GuardedProcess, 'pid' | 'exited' | 'kill' | 'isRunning'>;

/** Starts a real Postgres on loopback and waits until it answers. It can't outlive this process. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const binaries = findPostgresBinaries();
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'billing-postgres-'));
  const dataDir = join(dir, 'data');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const prefix = unprivilegedPrefix(dataDir);
  const logFile = join(dir, 'postgres.log');
  try {
    if (!existsSync(join(dataDir, 'PG_VERSION')))
      initialize({ initdb: binaries.initdb, prefix, dataDir, dir }, options);
    await clearStalePostmaster(dataDir);
    const port = options.port ?? (await freePort());
    const guarded = await startGuarded({
      command: [...prefix, binaries.postgres, ...serverArguments({ dataDir, port }, options)] as [
        string,
        ...string[],
      ],
      env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
      logFile,
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

type Cluster = {
  readonly initdb: string;
  readonly prefix: readonly string[];
  readonly dataDir: string;
  readonly dir: string;
};

function initialize(
  { initdb, prefix, dataDir, dir }: Cluster,
  { password, isVolatile }: PostgresOptions,
): void {
  // An initdb that was killed leaves files and no PG_VERSION; it wants an empty folder.
  rmSync(dataDir, { recursive: true, force: true });
  mkdirSync(dataDir, { mode: 0o700 });
  unprivilegedPrefix(dataDir);
  const passwordFile = join(dataDir, '..', `password-${randomBytes(6).toString('hex')}`);
  if (password !== undefined) writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  const login =
    password === undefined ? ['--auth=trust'] : ['--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  const layout = ['-D', dataDir, '-U', 'postgres', '--encoding=UTF8', '--locale=C', ...login];
  const [command = initdb, ...args] = [...prefix, initdb, ...layout, ...(isVolatile ? ['--no-sync'] : [])];
  const result = spawnSync(command, args, {
    encoding: 'utf8',
    cwd: dir,
    env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
  });
  rmSync(passwordFile, { force: true });
  if (result.status === 0) return;
  rmSync(dataDir, { recursive: true, force: true });
  const reason = (result.error?.message ?? result.stderr).trim().split('\n').slice(-2).join(' ');
  throw new Error(`Postgres could not create its data folder: ${reason}`);
}

function serverArguments(
  { dataDir, port }: { dataDir: string; port: number },
  { isVolatile }: PostgresOptions,
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
