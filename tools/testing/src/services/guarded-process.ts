import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';

/**
 * Runs beside each server and outlives nobody: its standard input is a pipe from us, so when we end, however
 * that happens (kill -9 included), it stops the server and removes the temporary folder. Reports the server's
 * pid on descriptor 4 and ends with the server's exit code.
 */
const GUARD = `
exec 3<&0
"$@" </dev/null 3<&- 4>&- & child=$!
echo $child >&4
exec 4>&-
{ read -r _ <&3; kill -$GUARD_SIGNAL $child; kill -CONT $child
  n=0; while [ $n -lt 100 ] && kill -0 $child; do sleep 0.2; n=$((n+1)); done
  kill -KILL $child; } >/dev/null 2>&1 &
watcher=$!
wait $child; code=$?
kill $watcher
[ -n "$GUARD_REMOVES" ] && rm -rf "$GUARD_REMOVES"
exit $code
`;

export type GuardedProcessOptions = {
  readonly command: readonly [string, ...string[]];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Output of both kinds is appended here. */
  readonly logFile: string;
  /** What ends it in order; default SIGTERM. */
  readonly stopSignal?: 'SIGTERM' | 'SIGINT';
  /** A folder to remove when the process has ended. */
  readonly removeDir?: string;
};

export type GuardedProcess = {
  /** Of the process itself, not of its guard. */
  readonly pid: number;
  readonly isRunning: () => boolean;
  /** Resolves when it has ended, with its exit code (128 + n after signal n). */
  readonly exited: Promise<number>;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Ends it in order, by force after `graceMs` (default 10 s). */
  readonly stop: (graceMs?: number) => Promise<void>;
};

/** Starts a server process that can't outlive this one. Resolves when it was started, not when it is ready. */
export async function startGuarded(options: GuardedProcessOptions): Promise<GuardedProcess> {
  const { command, env = process.env, cwd, logFile, stopSignal = 'SIGTERM', removeDir = '' } = options;
  const log = openSync(logFile, 'a');
  // A group of its own: Ctrl-C in the terminal reaches us alone, and we stop the servers in order.
  const guard = spawn('/bin/sh', ['-c', GUARD, 'guard', ...command], {
    stdio: ['pipe', log, log, 'ignore', 'pipe'],
    detached: true,
    cwd,
    env: { ...env, GUARD_SIGNAL: stopSignal.slice(3), GUARD_REMOVES: removeDir },
  });
  closeSync(log);
  guard.stdin?.on('error', () => undefined);
  let running = true;
  const exited = new Promise<number>((resolve) => {
    guard.once('error', () => resolve(127));
    guard.once('exit', (code) => resolve(code ?? 1));
  }).then((code) => {
    running = false;
    guard.stdin?.destroy();
    return code;
  });
  const pid = await readPid(guard.stdio[4] as Readable);
  guard.unref();

  function kill(signal: NodeJS.Signals): void {
    try {
      if (running) process.kill(pid, signal);
    } catch {
      // Gone already.
    }
  }
  async function stop(graceMs = 10_000): Promise<void> {
    if (!running) return;
    kill(stopSignal);
    kill('SIGCONT');
    const force = setTimeout(() => kill('SIGKILL'), graceMs);
    await exited;
    clearTimeout(force);
  }
  return { pid, isRunning: () => running, exited, kill, stop };
}

async function readPid(channel: Readable): Promise<number> {
  let text = '';
  for await (const chunk of channel) text += String(chunk);
  const pid = Number(text.trim());
  if (!Number.isInteger(pid) || pid <= 0) throw new Error('The process could not be started.');
  return pid;
}

/** The end of a log file, for an error message. */
export function lastLogLines(logFile: string, count = 5): string {
  try {
    return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
  } catch {
    return '';
  }
}
