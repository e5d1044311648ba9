import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createAppProcess } from '@billing/testing';
import type { AppProcess } from '@billing/testing';
import { z } from 'zod';

const program = fileURLToPath(new URL('../../.ci/buildah', import.meta.url));
const run = promisify(execFile);

async function buildah(...args: string[]): Promise<string> {
  const { stdout } = await run(program, args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}

const config = z.object({ Cmd: z.array(z.string()), User: z.string(), Env: z.array(z.string()) });
const inspected = z.object({ OCIv1: z.object({ config }) });

/** A container of an image. */
export type Container = {
  config: z.output<typeof config>;
  /** Runs a command as the image's user; returns what it prints. */
  run: (command: readonly string[]) => Promise<string>;
  /** Starts the app by the image's own command and with its own variables, in the network of this machine. */
  start: (env: Record<string, string>) => Promise<AppProcess>;
  remove: () => Promise<void>;
};

export async function createContainer(app: 'api' | 'worker'): Promise<Container> {
  const image = `localhost/billing-${app}`;
  const of = inspected.parse(JSON.parse(await buildah('inspect', '--type', 'image', image))).OCIv1.config;
  const name = await buildah('from', '--pull-never', image);
  return {
    config: of,
    run: (command) => buildah('run', name, '--', ...command),
    async start(env) {
      const variables = Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`]);
      const started = createAppProcess({
        name: `image of ${app}`,
        node: program,
        nodeArguments: ['run', ...variables, name, '--', ...of.Cmd],
        // One more argument of the image's `sh -c`, which takes it for its own name.
        script: `/${app}`,
        env: process.env,
        readyUrl: `http://127.0.0.1:${(app === 'api' ? env['PORT'] : env['WORKER_PORT']) ?? ''}/ready`,
      });
      await started.start();
      return signalledInside(started);
    },
    remove: async () => void (await buildah('rm', name)),
  };
}

/** buildah passes no signal on: the process in the container gets it, and buildah ends with its exit code. */
function signalledInside(started: AppProcess): AppProcess {
  return Object.assign(Object.create(started), {
    kill: async (signal: NodeJS.Signals): Promise<number> => {
      const pid = started.isRunning() ? nodeBelow(started.pid()) : undefined;
      if (pid === undefined) return started.kill(signal);
      if (process.getuid?.() === 0) process.kill(pid, signal);
      else await run('sudo', ['-n', 'kill', '-s', signal.replace('SIG', ''), String(pid)]);
      return started.exited;
    },
  });
}

const readProc = (path: string): string => {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    // It has ended meanwhile.
    return '';
  }
};

/** The Node process that descends from a process. */
function nodeBelow(ancestor: number): number | undefined {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const parents = new Map(pids.map((pid) => [Number(pid), parentOf(pid)]));
  const descends = (pid: number): boolean => {
    for (let at = parents.get(pid) ?? 0; at > 1; at = parents.get(at) ?? 0) if (at === ancestor) return true;
    return false;
  };
  return [...parents.keys()].find((pid) => readProc(`${pid}/cmdline`).startsWith('node\0') && descends(pid));
}

const parentOf = (pid: string): number =>
  Number(/^PPid:\s*(\d+)$/m.exec(readProc(`${pid}/status`))?.[1] ?? 0);
