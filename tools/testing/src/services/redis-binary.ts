import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const names = ['redis-server', 'valkey-server'];

/** The path of a Redis (or Valkey) server on the PATH, if there is one. */
export function findRedisBinary(): string | undefined {
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/local/bin',
    '/usr/bin',
    '/opt/homebrew/bin',
  ];
  const candidates = names.flatMap((name) =>
    folders.filter((folder) => folder !== '').map((folder) => join(folder, name)),
  );
  return candidates.find(isExecutable);
}

/**
 * As `findRedisBinary`; where there is none it is installed, if this is Debian and we are root, after saying so.
 * Otherwise throws with the command to type.
 */
export function requireRedisBinary(say: (line: string) => void): string {
  const found = findRedisBinary();
  if (found !== undefined) return found;
  if (!canInstall()) throw new Error(`No redis-server is on the PATH. Type: ${installLine()}`);
  say('No redis-server is on the PATH: installing it (apt-get install -y redis-server) …');
  const install = ['install', '-y', '--no-install-recommends', 'redis-server'];
  if (!runApt(install) && runApt(['update'])) runApt(install);
  stopPackagedService();
  const installed = findRedisBinary();
  if (installed === undefined)
    throw new Error('redis-server could not be installed. Type: apt-get install -y redis-server');
  return installed;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version') && existsSync('/usr/bin/apt-get');
}

function installLine(): string {
  if (process.platform === 'darwin') return 'brew install redis';
  return existsSync('/etc/debian_version')
    ? 'sudo apt-get install -y redis-server'
    : 'install Redis with your package manager';
}

function runApt(args: readonly string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', ['-qq', ...args], { stdio: 'ignore', env, timeout: 300_000 }).status === 0;
}

/** Debian starts a service with the package; ours runs on a port and a folder of its own. */
function stopPackagedService(): void {
  spawnSync('service', ['redis-server', 'stop'], { stdio: 'ignore', timeout: 20_000 });
}
