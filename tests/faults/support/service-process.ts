import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { appNodeArguments, startGuarded, waitFor } from '@billing/testing';
import type { GuardedProcess } from '@billing/testing';

export const root = fileURLToPath(new URL('../../../', import.meta.url));

export type ProcessOptions = {
  name: string;
  /** Path of the built entry, from the repository's root. */
  script: string;
  port: number;
  env: Record<string, string>;
  dir: string;
};

export type ServiceProcess = ReturnType<typeof createServiceProcess>;

/** One of our processes from the build, to be started, killed and stopped at will; it keeps its port. */
export function createServiceProcess({ name, script, port, env, dir }: ProcessOptions) {
  const logFile = join(dir, `${name}.log`);
  const url = `http://127.0.0.1:${port}`;
  let current: GuardedProcess | null = null;

  async function start(more: Record<string, string> = {}): Promise<void> {
    current = await startGuarded({
      command: [process.execPath, ...appNodeArguments, join(root, script)],
      cwd: root,
      env: { PATH: process.env['PATH'], ...env, ...more },
      logFile,
    });
  }

  async function readiness(): Promise<{ status: number; checks: Record<string, string> }> {
    const response = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(3_000) });
    const body = (await response.json()) as { checks: Record<string, string> };
    return { status: response.status, checks: body.checks };
  }

  async function untilReady(timeoutMs = 30_000): Promise<void> {
    await waitFor(async () => (await readiness()).status === 200, {
      what: `${name} to be ready`,
      timeoutMs,
      intervalMs: 50,
    });
  }

  return {
    name,
    url,
    port,
    start,
    readiness,
    untilReady,
    log: (): string => readFileSync(logFile, 'utf8'),
    isRunning: (): boolean => current?.isRunning() ?? false,
    kill: async (): Promise<void> => {
      current?.kill('SIGKILL');
      await current?.exited;
    },
    /** SIGTERM; resolves with the exit code, or -1 where it had to be ended by force. */
    stop: async (graceMs = 30_000): Promise<number> => {
      if (current === null || !current.isRunning()) return 0;
      let isForced = false;
      const force = setTimeout(() => {
        isForced = true;
        current?.kill('SIGKILL');
      }, graceMs);
      current.kill('SIGCONT');
      current.kill('SIGTERM');
      const code = await current.exited;
      clearTimeout(force);
      return isForced ? -1 : code;
    },
    exited: (): Promise<number> => current?.exited ?? Promise.resolve(0),
    pause: (): void => current?.kill('SIGSTOP'),
    resume: (): void => current?.kill('SIGCONT'),
  };
}
