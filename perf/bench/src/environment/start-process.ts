import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, lastLogLines, startGuarded, waitFor } from '@billing/testing';

export type Running = {
  url: string;
  pid: number;
  stop: () => Promise<void>;
};

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

/** Starts a Node process on a free port and waits until it says that it is ready. It can't outlive this one. */
export async function startProcess(options: ProcessOptions): Promise<Running> {
  const { script, env, nodeArguments = [], readyPath = '/ready' } = options;
  const port = await freePort();
  const logFile = join(logDir, `${port}.log`);
  const started = await startGuarded({
    command: [process.execPath, ...nodeArguments, script],
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...env(port) },
    logFile,
  });
  const url = `http://127.0.0.1:${port}`;
  const answers = async (): Promise<boolean> => {
    if (!started.isRunning()) return true;
    const response = await fetch(url + readyPath, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  };
  try {
    await waitFor(answers, { timeoutMs: 30_000, what: `${script} to be ready` });
  } catch (error) {
    await started.stop(500);
    throw error;
  }
  if (!started.isRunning()) throw new Error(`${script} ended at the start: ${lastLogLines(logFile)}`);
  return { url, pid: started.pid, stop: () => started.stop(26_000) };
}
