import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAppProcess, freePort } from '@billing/testing';

export type Running = { url: string; pid: number; stop: () => Promise<unknown> };

export type ProcessOptions = {
  /** Absolute path of a built entry. */
  script: string;
  /** Gets the port that was chosen. */
  env: (port: number) => Record<string, string>;
  nodeArguments?: readonly string[];
  /** Answers 200 when the process is ready; default `/ready`. */
  readyPath?: string;
};

const logDir = mkdtempSync(join(tmpdir(), 'billing-bench-'));

/** Starts a Node process on a free port and waits until it is ready. It cannot outlive this one. */
export async function startProcess(options: ProcessOptions): Promise<Running> {
  const { script, env, nodeArguments = [], readyPath = '/ready' } = options;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const started = createAppProcess({
    name: script,
    script,
    nodeArguments,
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
  return { url, pid: started.pid(), stop: () => started.stop() };
}
