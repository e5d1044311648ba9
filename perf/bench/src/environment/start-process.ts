import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAppProcess, freePort } from '@billing/testing';

export type Running = {
  url: string;
  pid: number;
  /** Suspends it, so that it takes no part in what others are measured by. */
  pause: () => void;
  resume: () => void;
  stop: () => Promise<unknown>;
};

export type ProcessOptions = {
  /** Absolute path of a built entry. */
  script: string;
  /** Gets the port that was chosen. */
  env: (port: number) => Record<string, string>;
  nodeArguments?: readonly string[];
  /** The path of another Node. */
  node?: string;
  /** Answers 200 when the process is ready; default `/ready`. */
  readyPath?: string;
};

const logDir = mkdtempSync(join(tmpdir(), 'billing-bench-'));
// What failed is to be read there.
process.once('exit', (code) => code === 0 && rmSync(logDir, { recursive: true, force: true }));

/** Starts a Node process on a free port and waits until it is ready. It cannot outlive this one. */
export async function startProcess(options: ProcessOptions): Promise<Running> {
  const { script, env, nodeArguments = [], node, readyPath = '/ready' } = options;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const started = createAppProcess({
    name: script,
    script,
    nodeArguments,
    ...(node === undefined ? {} : { node }),
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...env(port) },
    readyUrl: url + readyPath,
    logFile: join(logDir, `${port}.log`),
  });
  await started.start();
  try {
    await started.untilReady(30_000);
  } catch (error) {
    await started.stop(500);
    throw error;
  }
  const pid = started.pid();
  const resume = (): void => void process.kill(pid, 'SIGCONT');
  return {
    url,
    pid,
    pause: () => void process.kill(pid, 'SIGSTOP'),
    resume,
    stop: () => {
      resume();
      return started.stop();
    },
  };
}
