import { createServer } from 'node:net';
import { join } from 'node:path';
import { appNodeArguments, createAppProcess } from '@billing/testing';
import type { AppProcess } from '@billing/testing';

/** Below the ports that systems give to outgoing connections: one of ours stays free while its process is dead. */
const firstPort = 20_000;
const portsPerWorker = 1_000;

const block = firstPort + ((Number(process.env['JEST_WORKER_ID'] ?? '1') - 1) % 10) * portsPerWorker;
let taken = (process.pid * 37) % portsPerWorker;

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}

/** A port that this test file keeps while what listens there is stopped and started. */
export async function takePort(): Promise<number> {
  for (let tries = 0; tries < portsPerWorker; tries += 1) {
    const port = block + (taken % portsPerWorker);
    taken += 1;
    if (await isFree(port)) return port;
  }
  throw new Error(`No port is free from ${block} on.`);
}

export type Readiness = { status: number; checks: Record<string, string> };

/** One of our processes from the build, which the test starts, kills and stops; it keeps its port. */
export type ServiceProcess = AppProcess & {
  url: string;
  port: number;
  readiness: () => Promise<Readiness>;
  /** SIGSTOP: connections stay open, nothing answers. */
  pause: () => void;
  resume: () => void;
};

type ServiceOptions = {
  name: string;
  script: string;
  port: number;
  env: Record<string, string>;
  /** Default: the API's. */
  nodeArguments?: readonly string[];
  /** For its log. */
  dir: string;
  /** Default `/ready`. */
  readyPath?: string;
};

export function createServiceProcess(options: ServiceOptions): ServiceProcess {
  const { name, script, port, env, dir, readyPath = '/ready' } = options;
  const url = `http://127.0.0.1:${port}`;
  const service = createAppProcess({
    name,
    script,
    nodeArguments: options.nodeArguments ?? appNodeArguments,
    env: { PATH: process.env['PATH'], ...env },
    readyUrl: url + readyPath,
    logFile: join(dir, `${name}.log`),
  });
  return Object.assign(service, {
    url,
    port,
    readiness: async () => {
      const response = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(3_000) });
      const { checks } = (await response.json()) as Pick<Readiness, 'checks'>;
      return { status: response.status, checks };
    },
    pause: () => void service.kill('SIGSTOP'),
    resume: () => void service.kill('SIGCONT'),
  });
}
