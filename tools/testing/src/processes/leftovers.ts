import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { waitFor } from '../wait-for.ts';

/** The command line of a process; empty where there is no such process. */
export function commandLineOf(pid: number): string {
  if (!Number.isInteger(pid) || pid < 2) return '';
  if (process.platform !== 'linux')
    return spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

type Leftovers = {
  /** By its command line: a pid may belong to another process by now. */
  isOurs: (commandLine: string) => boolean;
  /** Requests an orderly end. */
  signal: 'SIGTERM' | 'SIGINT';
  graceMs: number;
};

/** Ends what a killed process left running: in order, by force after `graceMs`. */
export async function endLeftovers(
  pids: readonly number[],
  { isOurs, signal, graceMs }: Leftovers,
): Promise<void> {
  const running = (): number[] => pids.filter((pid) => isOurs(commandLineOf(pid)));
  const untilGone = (timeoutMs: number): Promise<true> =>
    waitFor(() => running().length === 0, { timeoutMs, what: `processes ${running().join(', ')} to end` });
  for (const pid of running()) {
    process.kill(pid, signal);
    // A stopped process receives the signal only when it continues.
    process.kill(pid, 'SIGCONT');
  }
  await untilGone(graceMs).catch(() => {
    for (const pid of running()) process.kill(pid, 'SIGKILL');
    return untilGone(5_000);
  });
}
