import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { waitFor } from '../wait-for.ts';
import { lastLogLines, startGuarded } from '../processes/guarded-process.ts';
import type { GuardedProcess } from '../processes/guarded-process.ts';
import { freePort } from '../processes/ports.ts';
import { requireRedisBinary } from './redis-binary.ts';

export type RedisServerOptions = {
  /** Where data and log live; kept. Absent: a temporary folder that is removed with the server. */
  dir?: string;
  /** Default: a free one. */
  port?: number;
  /** Append-only file, flushed every second. Default: nothing is kept. */
  isPersistent?: boolean;
  /** Default `noeviction`, as the queue needs it. */
  evictionPolicy?: string;
  /** More arguments of redis-server, such as `['--maxmemory', '8mb']`. */
  settings?: readonly string[];
  /** Gets one line when Redis has to be installed. */
  say?: (line: string) => void;
};

export type RedisServer = Pick<GuardedProcess, 'pid' | 'exited' | 'kill' | 'isRunning'> & {
  port: number;
  url: string;
  logFile: string;
  stop: () => Promise<void>;
};

/** Starts a real Redis on loopback and waits until it answers. It cannot outlive this process. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const binary = requireRedisBinary(options.say ?? (() => undefined));
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'billing-redis-'));
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const logFile = join(dir, 'redis.log');
  const port = options.port ?? (await freePort());
  const guarded = await startGuarded({
    command: [binary, ...serverArguments({ dir, port }, options)],
    output: logFile,
    ...(options.dir === undefined ? { removeDir: dir } : {}),
  });
  const url = `redis://127.0.0.1:${port}`;
  const server = { ...guarded, stop: () => guarded.stop(), port, url, logFile };
  try {
    await untilReady(server);
  } catch (error) {
    await guarded.stop(500);
    if (options.dir === undefined) rmSync(dir, { recursive: true, force: true });
    throw error;
  }
  return server;
}

function serverArguments(
  { dir, port }: { dir: string; port: number },
  options: RedisServerOptions,
): string[] {
  const { isPersistent = false, evictionPolicy = 'noeviction', settings = [] } = options;
  const persistence = isPersistent
    ? ['--appendonly', 'yes', '--appendfsync', 'everysec']
    : ['--appendonly', 'no'];
  const network = ['--port', String(port), '--bind', '127.0.0.1', '--daemonize', 'no'];
  const storage = ['--dir', dir, '--save', '', '--maxmemory-policy', evictionPolicy, ...persistence];
  return [...network, ...storage, ...settings];
}

async function untilReady(server: RedisServer): Promise<void> {
  const probe = new Redis(server.url, {
    retryStrategy: () => 30,
    maxRetriesPerRequest: null,
    connectTimeout: 1_000,
  });
  probe.on('error', () => undefined);
  try {
    await waitFor(() => !server.isRunning() || probe.status === 'ready', {
      timeoutMs: 20_000,
      what: 'Redis to answer',
    });
    if (!server.isRunning())
      throw new Error(`Redis ended while starting: ${lastLogLines(server.logFile, 2)}`);
  } finally {
    probe.disconnect();
  }
}
