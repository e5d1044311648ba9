import { appNodeArguments, workerNodeArguments } from '@billing/testing';
import { peakResidentMib, residentMib } from '../measure/cpu-time.ts';
import { entries } from '../paths.ts';
import { startProcess } from './start-process.ts';
import type { Running } from './start-process.ts';

type Env = Record<string, string>;

export type Starters = {
  startApi: (env?: Env) => Promise<Running>;
  startWorker: (env?: Env) => Promise<Running>;
  /** Starts one of the benchmark's own servers; `settings` are BENCH_… variables. */
  startPeer: (name: string, settings?: Env) => Promise<Running>;
  /** Of the API and the worker that needed most, until its stop. */
  memory: { api: Memory; worker: Memory };
};

/** Resident, in MiB: at the end of its load, and the most there ever was. */
export type Memory = { endMib: number; peakMib: number };

/** What starts the measured processes, with the Node of that path. */
export function createStarters(common: Env, node: string): Starters {
  const memory = { api: { endMib: 0, peakMib: 0 }, worker: { endMib: 0, peakMib: 0 } };

  const startApp = async (app: 'api' | 'worker', portVariable: string, env: Env): Promise<Running> => {
    const running = await startProcess({
      script: entries[app],
      nodeArguments: app === 'worker' ? workerNodeArguments : appNodeArguments,
      node,
      env: (port) => ({ ...common, [portVariable]: String(port), ...env }),
    });
    return {
      ...running,
      stop: () => {
        const { endMib, peakMib } = memory[app];
        memory[app] = {
          endMib: Math.max(endMib, residentMib(running.pid)),
          peakMib: Math.max(peakMib, peakResidentMib(running.pid)),
        };
        return running.stop();
      },
    };
  };

  return {
    memory,
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
