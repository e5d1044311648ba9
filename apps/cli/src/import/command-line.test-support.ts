import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** `code` null: ended by a signal. */
export type Finished = { code: number | null; stdout: string; stderr: string };
export type RunningImport = { kill: () => void; finished: Promise<Finished> };

/** The command as it is typed, in a process of its own, from the build; only `env` is in its environment. */
export function startImport(args: readonly string[], env: Record<string, string>): RunningImport {
  const child = spawn(process.execPath, [script, 'import', ...args], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const deadline = setTimeout(() => child.kill('SIGKILL'), 100_000);
  const closed = once(child, 'close').finally(() => clearTimeout(deadline));
  const finished = Promise.all([closed, text(child.stdout), text(child.stderr)]).then(
    ([, stdout, stderr]) => ({ code: child.exitCode, stdout, stderr }),
  );
  return { kill: () => void child.kill('SIGKILL'), finished };
}

export const importStripe = (args: readonly string[], env: Record<string, string>): Promise<Finished> =>
  startImport(args, env).finished;
