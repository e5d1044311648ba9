import { appNodeArguments } from '@billing/testing';
import { peakResidentMib } from '../measure/cpu-time.ts';
import { entries } from '../paths.ts';
import { startProcess } from './start-process.ts';
import type { Running } from './start-process.ts';

type Env = Record<string, string>;

export type Starters = {
  startApi: (env?: Env) => Promise<Running>;
  startWorker: (env?: Env) => Promise<Running>;
  /** Starts one of the benchmark's own servers; `settings` are BENCH_… variables. */
  startPeer: (name: string, settings?: Env) => Promise<Running>;
  /** The most that any API and any worker had resident until its stop, in MiB. */
  peakMib: { api: number; worker: number };
};

/** What starts the measured processes, with the Node of that path. */
export function createStarters(common: Env, node: string): Starters {
  const peakMib = { api: 0, worker: 0 };

  const startApp = async (app: 'api' | 'worker', portVariable: string, env: Env): Promise<Running> => {
    const running = await startProcess({
      script: entries[app],
      nodeArguments: appNodeArguments,
      node,
      env: (port) => ({ ...common, [portVariable]: String(port), ...env }),
    });
    return {
      ...running,
      stop: () => {
        peakMib[app] = Math.max(peakMib[app], peakResidentMib(running.pid));
        return running.stop();
      },
    };
  };

  return {
    peakMib,
    startApi: (env = {}) => startApp('api', 'PORT', env),
    startWorker: (env = {}) => startApp('worker', 'WORKER_PORT', env),
    startPeer: (name, settings = {}) =>
      startProcess({
        script: entries.bench(name),
        node,
        env: (port) => ({ ...common, BENCH_PORT: String(port), ...settings }),
      }),
  };
}
