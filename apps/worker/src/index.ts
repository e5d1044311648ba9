export { readConfig, type WorkerConfig } from './config.ts';
export { startWorker, type RunningWorker, type WorkerOptions } from './start-worker.ts';
