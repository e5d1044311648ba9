import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endLeftovers } from '../processes/leftovers.ts';

/** The user `nobody`. */
const nobody = 65_534;

/**
 * Postgres refuses to run as root. Returns what to put before a command so that it does not see itself as root
 * while it can still use `dir`: nothing for other users; a user namespace where the system allows one, as that
 * works below folders which no other user may enter; else the user `nobody`, who then owns `dir`.
 */
export function unprivilegedPrefix(dir: string): string[] {
  if (process.getuid?.() !== 0) return [];
  const namespace = ['unshare', '-U', '--map-user=1000', '--map-group=1000'];
  if (spawnSync('unshare', [...namespace.slice(1), 'true']).status === 0) return namespace;
  chownSync(dir, nobody, nobody);
  const asNobody = ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];
  if (spawnSync('setpriv', [...asNobody.slice(1), 'test', '-w', dir]).status === 0) return asNobody;
  throw new Error(
    `Postgres does not run as root, and no other user may enter ${dir}. Start as another user, or set DATABASE_URL.`,
  );
}

type NewData = { initdb: string; dataDir: string; password?: string; isVolatile?: boolean };

/** Makes an empty cluster in `dataDir`; what is there goes. */
export function initialize({ initdb, dataDir, password, isVolatile = false }: NewData): void {
  // An initdb that was killed leaves files and no PG_VERSION; it wants an empty folder.
  rmSync(dataDir, { recursive: true, force: true });
  mkdirSync(dataDir, { mode: 0o700 });
  const dir = join(dataDir, '..');
  const passwordFile = join(dir, `password-${randomBytes(6).toString('hex')}`);
  if (password !== undefined) writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  const login =
    password === undefined ? ['--auth=trust'] : ['--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  const layout = ['-D', dataDir, '-U', 'postgres', '--encoding=UTF8', '--locale=C', ...login];
  const [command = initdb, ...args] = [
    ...unprivilegedPrefix(dataDir),
    initdb,
    ...layout,
    ...(isVolatile ? ['--no-sync'] : []),
  ];
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

/**
 * Removes the `postmaster.pid` of a killed server: Postgres would refuse to start if another process has that number
 * by now. A server that still runs on this folder, because its starter was killed, is stopped.
 */
export async function clearStalePostmaster(dataDir: string): Promise<void> {
  const lockFile = join(dataDir, 'postmaster.pid');
  if (!existsSync(lockFile)) return;
  const pid = Number(readFileSync(lockFile, 'utf8').split('\n', 1)[0]);
  await endLeftovers([pid], {
    isOurs: (commandLine) => commandLine.includes(dataDir),
    signal: 'SIGINT',
    graceMs: 10_000,
  });
  rmSync(lockFile, { force: true });
}
