import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastLogLines, startGuarded, type GuardedProcess } from '@billing/testing';
import { paths } from './paths.ts';
import { StartError } from './start-error.ts';

export type ChildOptions = {
  readonly name: 'api' | 'worker' | 'stripe';
  /** Path of the built entry, from the repository's root. */
  readonly script: string;
  readonly nodeArguments?: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Answers 200 when it is ready. */
  readonly readyUrl: string;
};

export type Child = {
  readonly name: ChildOptions['name'];
  pid(): number;
  /** Resolves when it is ready; throws StartError when it ends before, or is not ready in a minute. */
  untilReady(): Promise<void>;
  /** From now on a death is mended. `onRestart` is called with each new process. */
  supervise(onRestart: () => void): void;
  stop(): Promise<void>;
};

const READY_WITHIN_MS = 60_000;
const RESTART_PAUSES_MS = [100, 500, 1_000, 1_500];

/** Starts one of our processes from the build; its output goes to `.local/logs/<name>.log`. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { name, script, nodeArguments = [], env, readyUrl } = options;
  const command: [string, ...string[]] = [process.execPath, ...nodeArguments, join(paths.root, script)];
  const logFile = join(paths.logs, `${name}.log`);
  emptyFile(logFile);
  const launch = (): Promise<GuardedProcess> => startGuarded({ command, cwd: paths.root, env, logFile });
  let current = await launch();
  let isStopping = false;

  let failures = 0;

  async function mend(startedAt: number, onRestart: () => void): Promise<void> {
    await current.exited;
    failures = Date.now() - startedAt > 10_000 ? 0 : failures + 1;
    await sleep(RESTART_PAUSES_MS[Math.min(failures, RESTART_PAUSES_MS.length - 1)]);
    if (isStopping) return;
    current = await launch();
    onRestart();
    void mend(Date.now(), onRestart);
  }
  return {
    name,
    pid: () => current.pid,
    untilReady: async () => {
      const givesUpAt = Date.now() + READY_WITHIN_MS;
      while (!(await answersOk(readyUrl))) {
        if (!current.isRunning()) throw endedEarly(name, logFile);
        if (Date.now() > givesUpAt) throw neverReady(name, logFile);
        await sleep(50);
      }
      // Something else may have answered on that port while ours could not listen there.
      if (!current.isRunning()) throw endedEarly(name, logFile);
    },
    supervise: (onRestart) => void mend(Date.now(), onRestart),
    stop: async () => {
      isStopping = true;
      await current.stop(26_000);
    },
  };
}

async function answersOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

function emptyFile(path: string): void {
  try {
    truncateSync(path);
  } catch {
    // Not there yet.
  }
}

function endedEarly(name: string, logFile: string): StartError {
  return new StartError(
    `The ${name} process ended before it was ready (${reasonIn(logFile)}); its log is ${logFile}.`,
  );
}

/** The line of a dead process's last words that says most: its error, not the stack or Node's version below it. */
function reasonIn(logFile: string): string {
  const lines = lastLogLines(logFile, 40)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('at ') && !line.startsWith('Node.js v'));
  const said =
    lines.find((line) => /error|can't|cannot|in use/i.test(line)) ?? lines.at(-1) ?? 'it said nothing';
  return said.slice(0, 300);
}

function neverReady(name: string, logFile: string): StartError {
  return new StartError(
    `The ${name} process was not ready within ${READY_WITHIN_MS / 1_000} s; its log is ${logFile}.`,
  );
}
