import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { appNodeArguments, createAppProcess, workerNodeArguments } from '@billing/testing';
import type { AppProcess } from '@billing/testing';
import { paths } from './paths.ts';

/** `devGraceMs`: how long a restart waits for the old process: for no request of the API, but for jobs and files. */
const programs = {
  api: { folder: 'apps/api', readyPath: '/ready', nodeArguments: appNodeArguments, devGraceMs: 0 },
  worker: {
    folder: 'apps/worker',
    readyPath: '/ready',
    nodeArguments: workerNodeArguments,
    devGraceMs: 1_000,
  },
  stripe: { folder: 'tools/offline-stripe', readyPath: '/healthz', nodeArguments: [], devGraceMs: 1_000 },
  /** From source only: Vite serves it, and puts what changes into the open page. */
  console: { folder: 'apps/console', readyPath: '/console/', nodeArguments: [], devGraceMs: 0 },
} as const;

export type ProgramName = keyof typeof programs;

export const urlOf = (port: number): string => `http://127.0.0.1:${port}`;

/** Node from 22.18 on runs TypeScript itself, in half the time. */
const runsTypeScript = 'typescript' in process.features && Boolean(process.features.typescript);

/**
 * Node's own watcher: runs the program from source, and again whenever a file that it imports changes. A preloaded
 * script ends the program with its watcher (the channel between them closes), and soon after a SIGTERM.
 */
function watchSource(devGraceMs: number): string[] {
  const script = `
    process.on('disconnect', () => process.exit(1));
    process.channel?.unref();
    process.on('SIGTERM', () => setTimeout(() => process.exit(0), ${devGraceMs}));`;
  return [
    '--conditions=@billing/source',
    ...(runsTypeScript ? [] : ['--import=tsx']),
    `--import=data:text/javascript,${encodeURIComponent(script)}`,
    '--watch',
    '--watch-preserve-output',
  ];
}

type LocalProcess = {
  name: ProgramName;
  port: number;
  /** What the program needs, besides this process's own environment. */
  values: Record<string, string>;
  /** `npm run dev`: runs it from source, and gets its output piece by piece. Absent: it runs from the build. */
  onOutput: ((name: ProgramName, text: string) => void) | undefined;
};

/** One of our processes, not started yet; its output goes to `.local/logs/<name>.log`. */
export function createLocalProcess({ name, port, values, onOutput }: LocalProcess): AppProcess {
  const { folder, readyPath, nodeArguments, devGraceMs } = programs[name];
  const logFile = join(paths.logs, `${name}.log`);
  writeFileSync(logFile, '');
  const shared = { name, cwd: paths.root, env: environmentWith(values), logFile };
  const readyUrl = urlOf(port) + readyPath;
  if (name === 'console')
    return createAppProcess({
      ...shared,
      readyUrl,
      cwd: join(paths.root, folder),
      script: join(paths.root, 'node_modules/vite/bin/vite.js'),
      // Without a terminal Vite would else end with its standard input.
      env: { ...shared.env, CI: 'true' },
      onOutput: (text) => onOutput?.(name, text),
    });
  if (onOutput === undefined)
    return createAppProcess({
      ...shared,
      readyUrl,
      script: join(paths.root, folder, 'dist/main.js'),
      nodeArguments,
    });
  return createAppProcess({
    ...shared,
    readyUrl,
    script: join(paths.root, folder, 'src/main.ts'),
    nodeArguments: [...nodeArguments, ...watchSource(devGraceMs)],
    // Used by Node from 22.1 on: a restart compiles only what changed.
    env: { ...shared.env, NODE_COMPILE_CACHE: paths.compileCache },
    onOutput: (text) => onOutput(name, text),
  });
}

/** Our own environment with these values; a value replaces the file (`…_FILE`) that it was read from. */
function environmentWith(values: Record<string, string>): NodeJS.ProcessEnv {
  const files = Object.keys(values).map((name) => `${name}_FILE`);
  const inherited = Object.entries(process.env).filter(([name]) => !files.includes(name));
  return { ...Object.fromEntries(inherited), ...values };
}

const restartPausesMs = [100, 500, 1_000];

/** Starts a process again whenever it ends, until `signal` aborts. */
export async function supervise(
  child: AppProcess,
  { signal, onRestart }: { signal: AbortSignal; onRestart: () => void },
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const startedAt = Date.now();
    await child.exited;
    failures = Date.now() - startedAt > 10_000 ? 0 : failures + 1;
    await sleep(restartPausesMs[Math.min(failures, restartPausesMs.length - 1)]);
    if (signal.aborted) return;
    await child.start();
    onRestart();
  }
  await child.stop();
}
