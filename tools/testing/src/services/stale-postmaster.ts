import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../wait-for.ts';

/**
 * Deals with the `postmaster.pid` that a killed server leaves: Postgres would refuse to start if some other
 * process has that number by now. A server that still runs on this folder (its starter was killed) is stopped.
 */
export async function clearStalePostmaster(dataDir: string): Promise<void> {
  const lockFile = join(dataDir, 'postmaster.pid');
  if (!existsSync(lockFile)) return;
  const pid = Number(readFileSync(lockFile, 'utf8').split('\n', 1)[0]);
  if (Number.isInteger(pid) && pid > 1 && commandLineOf(pid).includes(dataDir)) {
    process.kill(pid, 'SIGINT');
    process.kill(pid, 'SIGCONT');
    const isGone = (): boolean => !commandLineOf(pid).includes(dataDir);
    await waitFor(isGone, { timeoutMs: 10_000, what: 'the Postgres of an earlier start to end' }).catch(
      () => {
        process.kill(pid, 'SIGKILL');
        return waitFor(isGone, { timeoutMs: 5_000, what: 'the killed Postgres of an earlier start to end' });
      },
    );
  }
  rmSync(lockFile, { force: true });
}

function commandLineOf(pid: number): string {
  if (process.platform !== 'linux')
    return spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
