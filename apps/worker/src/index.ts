export { readConfig, type WorkerConfig } from './config.ts';
export { startWorker, type RunningWorker, type WorkerOptions } from './create-worker.ts';
/** For the import of an existing account, which applies what Stripe lists by the same rules as events. */
export type { WorkerDeps } from './deps.ts';
export { acceptEvent } from './events/accept-event.ts';
export { finishSettled, settleAdopted } from './events/after-commit.ts';
export { decideGroup, fenceOf, keysOf, readForGroup } from './events/decide-group.ts';
export type { Group, GroupReading } from './events/decide-group.ts';
export { namesOf } from './events/decide-object.ts';
export { subscriptionKind } from './events/object-kinds.ts';
export { keyOf, type QueuedEvent } from './events/target.ts';
export { createWorkerMetrics } from './operations/worker-metrics.ts';
export { createReadBudget } from './stripe/read-budget.ts';
export { createSharedReads } from './stripe/share-reads.ts';
