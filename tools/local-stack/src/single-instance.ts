import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { waitFor } from '@billing/testing';
import { z } from 'zod';
import { readJsonFile } from '@billing/platform';
import { paths } from './paths.ts';
import { StartError } from './start-error.ts';

const leftStack = z.object({ pids: z.record(z.string(), z.number().nullable()) });

/** What a process of ours shows in its command line. */
const MARKS = [
  'apps/api/dist/main.js',
  'apps/worker/dist/main.js',
  'offline-stripe/dist/main.js',
  'redis-server',
  'valkey-server',
];

/**
 * Makes this the only start in this checkout: throws when another one runs, and ends what one that was killed
 * left behind. `afterCrash`: one was killed, and what it had started may take a moment to end by itself.
 */
export async function becomeSingleInstance(): Promise<{ afterCrash: boolean }> {
  const other = runningStart();
  if (other !== undefined)
    throw new StartError(`npm start already runs here (process ${other}): stop it with Ctrl-C first.`);
  const afterCrash = existsSync(paths.startPid);
  await endLeftovers();
  rmSync(paths.stack, { force: true });
  writeFileSync(paths.startPid, String(process.pid));
  return { afterCrash };
}

/** The process id of a start that runs in this checkout. */
export function runningStart(): number | undefined {
  if (!existsSync(paths.startPid)) return undefined;
  const pid = Number(readFileSync(paths.startPid, 'utf8'));
  return pid !== process.pid && commandLineOf(pid).includes('start.js') ? pid : undefined;
}

/** Removes what says that a start runs here, if that is this one. */
export function releaseInstance(): void {
  if (!existsSync(paths.startPid) || Number(readFileSync(paths.startPid, 'utf8')) !== process.pid) return;
  rmSync(paths.stack, { force: true });
  rmSync(paths.startPid, { force: true });
}

function isOurs(pid: number): boolean {
  return MARKS.some((mark) => commandLineOf(pid).includes(mark));
}

async function endLeftovers(): Promise<void> {
  const left = Object.values(readJsonFile(paths.stack, leftStack)?.pids ?? {}).filter((pid) => pid !== null);
  const remaining = left.filter(isOurs);
  for (const pid of remaining) {
    process.kill(pid, 'SIGTERM');
    process.kill(pid, 'SIGCONT');
  }
  const areGone = (): boolean => !remaining.some(isOurs);
  await waitFor(areGone, { timeoutMs: 12_000, what: 'processes of an earlier start to end' }).catch(() => {
    for (const pid of remaining.filter(isOurs)) process.kill(pid, 'SIGKILL');
    return waitFor(areGone, { timeoutMs: 5_000, what: 'killed processes of an earlier start to end' });
  });
}

function commandLineOf(pid: number): string {
  if (!Number.isInteger(pid) || pid < 2) return '';
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
