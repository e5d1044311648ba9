import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { appNodeArguments } from './services/app-node-arguments.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** An app as it is deployed runs from the build. Nothing is done where the build is up to date. */
export async function buildApp(app: 'api' | 'worker'): Promise<void> {
  await promisify(execFile)('npm', ['run', 'build', '--', `--filter=@billing/${app}...`], { cwd: root });
}

export type AppProcess = Awaited<ReturnType<typeof spawnApp>>;

/** An app in a process of its own; only `env` is in its environment. */
export async function spawnApp(app: 'api' | 'worker', env: Record<string, string>) {
  const child = spawn(process.execPath, [...appNodeArguments, `apps/${app}/dist/main.js`], {
    cwd: root,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  const exited = once(child, 'exit').then(([code]: unknown[]) => (typeof code === 'number' ? code : null));
  await once(child, 'spawn');
  return {
    output: () => output.join(''),
    exited,
    /** Resolves when it is gone, with its exit code. */
    kill: (signal: NodeJS.Signals): Promise<number | null> => {
      child.kill(signal);
      return exited;
    },
  };
}
