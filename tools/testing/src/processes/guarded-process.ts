import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';

/**
 * A shell that starts the process and watches its own standard input, a pipe from us. When we end, also by kill -9,
 * the pipe closes, and the shell stops the process and removes the temporary folder. It reports the process's pid on
 * descriptor 4 and ends with its exit code.
 */
const guardScript = `
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
  command: readonly string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** A file to which standard output and standard error are appended, or what gets them piece by piece. */
  output: string | ((text: string) => void);
  /** Requests an orderly end; default SIGTERM. */
  stopSignal?: 'SIGTERM' | 'SIGINT';
  /** A folder to remove when the process has ended. */
  removeDir?: string;
};

export type GuardedProcess = {
  /** Of the process itself, not of its guard. */
  pid: number;
  isRunning: () => boolean;
  /** Resolves when it has ended, with its exit code (128 + n after signal n). */
  exited: Promise<number>;
  kill: (signal: NodeJS.Signals) => void;
  /** Ends it in order, by force after `graceMs` (default 10 s). */
  stop: (graceMs?: number) => Promise<void>;
};

/** Starts a process that cannot outlive this one. Resolves when it was started, not when it is ready. */
export async function startGuarded(options: GuardedProcessOptions): Promise<GuardedProcess> {
  const { stopSignal = 'SIGTERM' } = options;
  const guard = spawnGuard({ ...options, stopSignal });
  let isRunning = true;
  const exited = new Promise<number>((resolve) => {
    guard.once('error', () => resolve(127));
    guard.once('close', (code) => resolve(code ?? 1));
  }).then((code) => {
    isRunning = false;
    guard.stdin?.destroy();
    return code;
  });
  const pid = await readPid(guard.stdio[4] as Readable);
  guard.unref();

  function kill(signal: NodeJS.Signals): void {
    try {
      if (isRunning) process.kill(pid, signal);
    } catch {
      // It has ended, and its exit is not known here yet.
    }
  }
  async function stop(graceMs = 10_000): Promise<void> {
    if (!isRunning) return;
    // Whoever waits for the end must not end before it, also when it takes longer than the grace.
    guard.ref();
    kill(stopSignal);
    // A stopped process receives the signal only when it continues.
    kill('SIGCONT');
    const force = setTimeout(() => kill('SIGKILL'), graceMs);
    await exited;
    clearTimeout(force);
  }
  return { pid, isRunning: () => isRunning, exited, kill, stop };
}

type SpawnOptions = GuardedProcessOptions & { stopSignal: string };

function spawnGuard({ command, env = process.env, cwd, output, stopSignal, removeDir = '' }: SpawnOptions) {
  const log = typeof output === 'string' ? openSync(output, 'a') : 'pipe';
  const guard = spawn('/bin/sh', ['-c', guardScript, 'guard', ...command], {
    stdio: ['pipe', log, log, 'ignore', 'pipe'],
    // A process group of its own: Ctrl-C in the terminal reaches us alone, and we stop the processes in order.
    detached: true,
    cwd,
    env: { ...env, GUARD_SIGNAL: stopSignal.slice(3), GUARD_REMOVES: removeDir },
  });
  if (typeof log === 'number') closeSync(log);
  if (typeof output === 'function')
    for (const stream of [guard.stdout, guard.stderr]) stream?.setEncoding('utf8').on('data', output);
  guard.stdin?.on('error', () => undefined);
  return guard;
}

async function readPid(channel: Readable): Promise<number> {
  let text = '';
  for await (const chunk of channel) text += String(chunk);
  const pid = Number(text.trim());
  if (!Number.isInteger(pid) || pid <= 0) throw new Error('The process could not be started.');
  return pid;
}

/** A log file's text; empty where there is none. */
export function readLog(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The end of a log file, for an error message. */
export const lastLogLines = (path: string, count: number): string =>
  readLog(path).trimEnd().split('\n').slice(-count).join('\n');
