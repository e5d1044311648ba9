export * from './change-user.ts';
export * from './create-database.ts';
export { isDatabaseUnavailable } from './database-errors.ts';
export {
  createEntitlementCache,
  type EntitlementCache,
  type EntitlementCacheOptions,
  type FillTicket,
  type LookUp,
  type NewEntry,
} from './cache/entitlement-cache.ts';
export { createKeyDirectory, type KeyDirectory, type KeyDirectoryOptions } from './cache/key-directory.ts';
export { readSources, type UserSources } from './entitlements/read-sources.ts';
export {
  createOutboxCleaner,
  publishPending,
  publishInvalidations,
  type OutboxCleaner,
  type OutboxDeps,
} from './outbox.ts';
export { findApiKey, touchApiKey, type ApiKeyRecord } from './keys/find-api-key.ts';
export { listAudit, type AuditRow } from './audit/list-audit.ts';
export { writeAudit, type Actor, type AuditEntry } from './audit/write-audit.ts';
export {
  createPrice,
  getPrice,
  listPrices,
  patchPrice,
  type Price,
  type PriceKey,
} from './catalog/prices.ts';
export {
  createProduct,
  getProduct,
  listProducts,
  patchProduct,
  type Product,
  type ProductKey,
} from './catalog/products.ts';
export { createProject, getProject, listProjects, patchProject, type Project } from './catalog/projects.ts';
export { readSale, type SellablePrice } from './checkout/read-sale.ts';
export {
  claimIdempotencyKey,
  releaseIdempotencyKey,
  rememberAnswer,
  type Claim,
  type Hold,
} from './checkout/idempotency.ts';
export {
  releaseForCustomer,
  releaseForPrice,
  releaseForProject,
  type Released,
} from './customers/release-quarantine.ts';
export { mapCustomer, type Mapped } from './customers/map-customer.ts';
export { releaseWaitingEvents } from './customers/release-events.ts';
export {
  markCustomerDeleted,
  createUser,
  findOrCreateUser,
  findPortalCustomer,
  giveUpCustomerAttempt,
  keepCheckoutCustomer,
  type UserCustomer,
} from './customers/user-customer.ts';
export { createGrant, revokeGrant, type Grant } from './grants/grants.ts';
export { createApiKey, listApiKeys, revokeApiKey, type ApiKeyRow } from './keys/admin-api-keys.ts';
export { deleteFinishedEvents } from './ledger/delete-events.ts';
export { listEvents, listQuarantine, type LedgerRow } from './ledger/list-events.ts';
export { readProjectMetrics, type ProjectMetrics } from './project-metrics/read-project-metrics.ts';
export { type Page, type PageRequest } from './page.ts';
export { isDeadlock, retryOnDeadlock } from './retry-on-deadlock.ts';
export { type LedgerOutcome, type LedgerStatus, type Outcome, objectKeyOf } from './events/outcomes.ts';
export { readEventState, type EventState, type StoredObject } from './events/read-state.ts';
export { type StateKeys } from './events/read-state-sql.ts';
export { writeOutcomes, type Written } from './events/write-outcomes.ts';
export { claimDuePurchases } from './purchases/claim-due.ts';
export { bumpHolders } from './subscriptions/bump-holders.ts';
export { claimDueSubscriptions } from './subscriptions/claim-due.ts';
export {
  newRunId,
  requestEventReplay,
  requestReconcile,
  requestReplay,
  scheduleReconcile,
  type Run,
} from './runs/create-run.ts';
export {
  claimRun,
  endRun,
  findIdleRuns,
  deleteOldRuns,
  getRun,
  pauseRun,
  saveRun,
  withdrawRun,
  type RunMark,
} from './runs/lease-run.ts';
export { findUnmetPurchases, findUnmetSubscriptions, noteRunObjects } from './runs/run-objects.ts';
export { findLedgerEvents, getLedgerEvent, type StoredEvent } from './runs/ledger-events.ts';
export {
  claimSweep,
  findRecorded,
  finishSweep,
  isLedgerEmpty,
  releaseSweep,
  saveSweep,
} from './sweep/event-sweeps.ts';
