// What use cases need, and what they answer.
export { type JobOutcome, type MaintenanceDeps, type SyncDeps } from './deps.ts';
export { createReadBudget, type ReadBudget } from './stripe/read-budget.ts';
export { createSharedLookups, type SharedLookups } from './stripe/share-lookups.ts';
export { createLookupMetrics, createSyncMetrics, type LookupMetrics } from './sync-metrics.ts';

// Events
export { createEventApplier, type EventApplier } from './apply/apply-events.ts';
export { acceptEvent, unreadableEvent } from './apply/handlers.ts';
export { meansErased } from './apply/means-erased.ts';
export { type QueuedEvent, type ReceivedEvent } from './apply/target.ts';
export { warmEvents } from './apply/warm-events.ts';
export { recordEvent } from './apply/write-plans.ts';
export { isDatabaseAway, pauseAfterFailureMs, pauseForOthersMs, pauseInOutageMs } from './outages.ts';

// Changes that a project asks for
export {
  applyChanged,
  type ApplyDeps,
  type ChangedAtStripe,
  type Planned,
} from './subscriptions/apply-changed.ts';

// Maintenance
export { countRevenue } from './count-revenue.ts';
export { deleteExpired } from './delete-expired.ts';
export { measureDuplicates } from './measure-duplicates.ts';
export { logAuditHead } from './log-audit-head.ts';
export { eraseRun } from './erase/erase-run.ts';
export { createClaimSourceFinder } from './find-claim-sources.ts';
export { createPayloadMover, makePayloadMonths } from './payload-months.ts';
export { recheckDue } from './recheck-due.ts';
export { verifyDuePrices } from './verify-prices.ts';
export { reconcileRun } from './reconcile/reconcile-run.ts';
export { replayEventRun, replayRun } from './replay/replay-run.ts';
export { enqueueRun, type RunWorker } from './run-worker.ts';
export { sumSubscriptions } from './sum-subscriptions.ts';
export { sweepAfterChange } from './sweep-after-change.ts';
export { sweepEvents } from './sweep-events.ts';
export { createSampler } from './take-sample.ts';
export { measureUnseen } from './unseen-events.ts';

// Usage
export { applyQueuedUsage } from './usage/apply-queued-usage.ts';
export { createPace, type MeterSettings } from './usage/meters/meter-settings.ts';
export { createMeterReporter } from './usage/meters/report-meters.ts';
export { tidyReservations } from './usage/tidy-usage.ts';
export { dropExpiredUsage, makeUsageWeeks } from './usage/usage-retention.ts';

// Import
export { readAll } from './import/each-page.ts';
export {
  importActor,
  ImportError,
  longestPage,
  type ImportDeps,
  type ImportReadDeps,
  type Progress,
} from './import/import-deps.ts';
export {
  beginPhase,
  count,
  fingerprintOf,
  freshState,
  importState,
  note,
  totalOf,
  type ImportState,
  type Subject,
  type Tally,
} from './import/import-state.ts';
export { readMapping, type Mapping } from './import/mapping.ts';
export { readStripe, unlessRefused } from './import/read-stripe.ts';
export { runImport, type ImportInput } from './import/run-import.ts';

// Telling products of changes
export { emitWaiting } from './webhooks/emit-waiting.ts';
export type { EmitterDeps } from './webhooks/emitter-deps.ts';
export type { TellingSettings } from './webhooks/telling-settings.ts';
export { createBaseLineTurn, readBaseLine } from './webhooks/read-base-line.ts';
