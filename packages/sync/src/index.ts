export { acceptEvent, unreadableEvent } from './apply/accept-event.ts';
export { createEventApplier, type EventApplier } from './apply/apply-events.ts';
export { toLedger } from './apply/decide-object.ts';
export { type QueuedEvent, type Target } from './apply/target.ts';
export { isDatabaseAway } from './database-outage.ts';
export { type MaintenanceDeps, type SyncDeps } from './deps.ts';
export { readAll } from './import/each-page.ts';
export { longestPage, type ImportDeps, type ImportReadDeps, type Progress } from './import/import-deps.ts';
export { ImportError } from './import/import-error.ts';
export {
  beginPhase,
  count,
  fingerprintOf,
  freshState,
  note,
  readImportState,
  removeState,
  totalOf,
  type ImportState,
  type Subject,
  type Tally,
  writeState,
} from './import/import-state.ts';
export { readMapping, type Mapping } from './import/mapping.ts';
export { explainOutage, placeOf, requireDatabase } from './import/postgres-trouble.ts';
export { readStripe, unlessRefused } from './import/read-stripe.ts';
export { runImport, type ImportInput } from './import/run-import.ts';
export { type JobOutcome } from './job-outcome.ts';
export { recheckDue } from './recheck/recheck-due.ts';
export { reconcileRun } from './reconcile/reconcile-run.ts';
export { replayEventRun } from './replay/replay-event-run.ts';
export { replayRun } from './replay/replay-run.ts';
export { deleteExpired } from './retention/delete-expired.ts';
export { pauseAfterFailureMs, pauseForOthersMs, pauseInOutageMs } from './retry-pauses.ts';
export { enqueueRun } from './runs/enqueue-run.ts';
export { type RunWorker } from './runs/work-run.ts';
export { createReadBudget } from './stripe/read-budget.ts';
export { createSharedLookups } from './stripe/share-lookups.ts';
export { sweepEvents } from './sweep/sweep-events.ts';
export { createSyncMetrics } from './sync-metrics.ts';
