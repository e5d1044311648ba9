import { spawnApp } from '@billing/testing';
import type { AppProcess } from '@billing/testing';

export type WorkerProcess = AppProcess;

export const spawnWorker = (env: Record<string, string>): Promise<WorkerProcess> => spawnApp('worker', env);
