import { appendFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../wait-for.ts';
import { readLog, startGuarded } from './guarded-process.ts';
import type { GuardedProcess } from './guarded-process.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

/**
 * How Node runs API and worker, as in `package.json` (start:api, start:worker) and the Dockerfile. Without a limit V8
 * lets its heap grow to several times what is in use before it collects. They need some 80 MiB of it at full load. The young
 * generation of 16 MiB is what Node 20 has; Node 24 would let it grow by 70 MiB, and answer no faster.
 */
export const appNodeArguments = ['--max-old-space-size=512', '--max-semi-space-size=16'] as const;

/**
 * The worker's, with a fixed young generation: a backlog makes much garbage. Node 20 would collect it in small pieces, for
 * a sixth of the worker's time, and Node 24 would let it grow until the process has 300 MiB.
 */
export const workerNodeArguments = ['--max-old-space-size=512', '--max-semi-space-size=24'] as const;

export type AppProcessOptions = {
  /** For messages: `api`. */
  name: string;
  /** Path of the entry, absolute or from `cwd`. */
  script: string;
  nodeArguments?: readonly string[];
  /** The path of Node; default: the one that runs this. */
  node?: string;
  /** Default: the repository's root. */
  cwd?: string;
  /** The whole environment of the process. */
  env: NodeJS.ProcessEnv;
  /** Answers 200 when the process is ready. */
  readyUrl: string;
  /** Its output is appended here; default: kept in memory. */
  logFile?: string;
  /** Gets the output too, piece by piece. */
  onOutput?: (text: string) => void;
};

/** One of our processes; it can be started again after its end. It cannot outlive this process. */
export type AppProcess = {
  readonly name: string;
  /** Of the running process, or of the last one. */
  pid: () => number;
  isRunning: () => boolean;
  /** Starts it; `env` is added to its environment. Resolves when it was started, not when it is ready. */
  start: (env?: Record<string, string>) => Promise<void>;
  /** Throws, with the reason from its output, when it ends before it is ready, or is not ready in time (60 s). */
  untilReady: (timeoutMs?: number) => Promise<void>;
  /** What it wrote so far, on standard output and standard error. */
  output: () => string;
  /** Resolves when it has ended, with its exit code (128 + n after signal n). */
  readonly exited: Promise<number>;
  /** Sends a signal; resolves when the process has ended, with its exit code. */
  kill: (signal: NodeJS.Signals) => Promise<number>;
  /** Ends it in order, by force after `graceMs` (default 26 s, a second more than it takes for itself). */
  stop: (graceMs?: number) => Promise<number>;
};

/** Prepares a Node process that `start` starts. */
export function createAppProcess(options: AppProcessOptions): AppProcess {
  const { name, nodeArguments = [], cwd = root, env, readyUrl, logFile, onOutput } = options;
  const { node = process.execPath } = options;
  const pieces: string[] = [];
  const write = (text: string): void => {
    if (logFile === undefined) pieces.push(text);
    else appendFileSync(logFile, text);
    onOutput?.(text);
  };
  const output = (): string => (logFile === undefined ? pieces.join('') : readLog(logFile));
  let current: GuardedProcess | undefined;
  const isRunning = (): boolean => current?.isRunning() ?? false;
  const exited = (): Promise<number> => current?.exited ?? Promise.resolve(0);

  return {
    name,
    pid: () => current?.pid ?? 0,
    isRunning,
    start: async (added = {}) => {
      current = await startGuarded({
        command: [node, ...nodeArguments, resolve(cwd, options.script)],
        cwd,
        env: { ...env, ...added },
        output: onOutput === undefined && logFile !== undefined ? logFile : write,
      });
    },
    untilReady: async (timeoutMs = 60_000) => {
      const log = logFile === undefined ? '' : `; its log is ${logFile}`;
      const isReady = async (): Promise<boolean> => !isRunning() || (await answersOk(readyUrl));
      await waitFor(isReady, { timeoutMs, intervalMs: 50, what: `${name} to be ready` }).catch(async () => {
        const why = await whatIsMissing(readyUrl);
        throw new Error(`The ${name} process was not ready within ${timeoutMs / 1_000} s${why}${log}.`);
      });
      // Another process may have answered on the port that this one could not listen on.
      if (!isRunning())
        throw new Error(`The ${name} process ended before it was ready (${reasonIn(output())})${log}.`);
    },
    output,
    get exited() {
      return exited();
    },
    kill: (signal) => {
      current?.kill(signal);
      return exited();
    },
    stop: async (graceMs = 26_000) => {
      await current?.stop(graceMs);
      return exited();
    },
  };
}

async function answersOk(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  await response.arrayBuffer();
  return response.ok;
}

/** What `/ready` says of the dependencies that are missing, in brackets; empty: nothing. */
async function whatIsMissing(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    const { checks }: { checks?: Record<string, string> } = JSON.parse(await response.text());
    const missing = Object.entries(checks ?? {}).filter(([, says]) => says !== 'ok');
    return missing.length === 0 ? '' : ` (${missing.map(([name, says]) => `${name}: ${says}`).join(', ')})`;
  } catch {
    return '';
  }
}

/** Of the last lines of a process that failed, the one that gives the reason: not the stack or Node's version below it. */
function reasonIn(output: string): string {
  const lines = output
    .split('\n')
    .slice(-40)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('at ') && !line.startsWith('Node.js v'));
  const at = lines.findIndex((line) => /error|can't|cannot|in use/i.test(line));
  const reason = lines.at(at) ?? 'it wrote nothing';
  // One that ends so goes on: which settings are bad, and what is expected of each.
  const more =
    at >= 0 && reason.endsWith(':') ? lines.slice(at + 1).filter((line) => /^[A-Z]\w*: /.test(line)) : [];
  return [reason, more.join('; ')].join(' ').trim().slice(0, 600);
}

type App = 'api' | 'worker';

/** Starts an app as it is deployed; only `env` (and PATH) is in its environment. */
export async function spawnApp(app: App, env: Record<string, string>): Promise<AppProcess> {
  const port = app === 'api' ? (env['PORT'] ?? '8000') : (env['WORKER_PORT'] ?? '8001');
  const appProcess = createAppProcess({
    name: app,
    script: `apps/${app}/dist/main.js`,
    nodeArguments: app === 'worker' ? workerNodeArguments : appNodeArguments,
    env: { PATH: process.env['PATH'], ...env },
    readyUrl: `http://127.0.0.1:${port}/ready`,
  });
  await appProcess.start();
  return appProcess;
}
