export { listAudit, type Actor, type AuditDetails, type AuditRow } from './audit.ts';
export type { AuditProblem } from './audit-chain/check-row.ts';
export { exportAudit, type ExportedAudit } from './audit-chain/export-audit.ts';
export { readAuditHead, type AuditHead } from './audit-chain/read-chain.ts';
export { verifyAudit, verifyNextRows, type AuditVerification } from './audit-chain/verify-audit.ts';
export { checkCache } from './cache/check-cache.ts';
export * from './cache/entitlement-cache.ts';
export * from './cache/key-directory.ts';
export type { FillTicket, LookUp, LookUps, LookUpWith } from './cache/look-ups.ts';
export * from './catalog/change-price.ts';
export * from './catalog/features.ts';
export { planAfter, toPlanOut } from './catalog/plans.ts';
export * from './catalog/read-plans.ts';
export * from './catalog/prices.ts';
export * from './catalog/products.ts';
export * from './catalog/projects.ts';
export * from './catalog/verify-prices.ts';
export { bumpHolders, changeProject, changeUser } from './change-user.ts';
export type { Changed, PendingInvalidation, UserKey } from './change-user.ts';
export { countDuplicates, listDuplicates, type Duplicate } from './checkout/duplicates.ts';
export * from './checkout/idempotency.ts';
export * from './checkout/open-checkouts.ts';
export { readSale, type Sale } from './checkout/read-sale.ts';
export { createDatabaseCheck } from './check-database.ts';
export { readOverview, type OverviewRow } from './console/read-overview.ts';
export * from './console/samples.ts';
export * from './console/sessions.ts';
export * from './claim-due.ts';
export * from './create-database.ts';
export { createClockGauge, createPoolGauges, readClockSkewMs } from './database-gauges.ts';
export { deriveAnswer, deriveState, type DerivationSettings, type DerivedState } from './derive-answer.ts';
export { tryChange, type Tried } from './dry-run.ts';
export { assignObject, type Assigned } from './customers/assign-object.ts';
export * from './customers/claim-sources.ts';
export { confirmCustomer, type Confirmed } from './customers/confirm-customer.ts';
export {
  findBilledCustomers,
  findLineOwners,
  findOthersSubscriptions,
  type LineOwners,
} from './customers/billed-customers.ts';
export { mapCustomer, type Mapped } from './customers/map-customer.ts';
export { moveCustomer, type Moved } from './customers/move-customer.ts';
export { releaseForObject, type Released } from './customers/release-quarantine.ts';
export {
  createUser,
  findOrCreateUser,
  findPortalCustomer,
  findPortalSubscriptions,
  findSeveralCustomers,
  giveUpCustomerAttempt,
  keepCheckoutCustomer,
  markCustomerDeleted,
  type PortalSubscription,
  type UserCustomer,
} from './customers/user-customer.ts';
export { isDatabaseUnavailable, isDatabaseUnreachable } from './database-errors.ts';
export { erasePayloads } from './event-payloads/erase-payloads.ts';
export { hasPayloadsToMove, movePayloads, type MovePosition } from './event-payloads/move-payloads.ts';
export { dropPayloadMonth, listPayloadMonths, makePayloadMonth } from './event-payloads/payload-months.ts';
export { eraseUser, type EraseOrder, type ErasedUser } from './erasure/erase-user.ts';
export * from './erasure/erasure-keys.ts';
export * from './erasure/blank-payloads.ts';
export * from './erasure/find-erased.ts';
export { findErasedAgain, type ErasedAgain } from './erasure/find-erased-again.ts';
export { findNaming, type SearchedPage } from './erasure/find-naming.ts';
export * from './erasure/forget-names.ts';
export { readEventDetail, type EventDetail, type EventObject } from './event-detail.ts';
export * from './event-sweeps.ts';
export * from './events/outcomes.ts';
export type * from './events/event-state.ts';
export { readEventState } from './events/read-state.ts';
export { writeOutcomes } from './events/write-outcomes.ts';
export * from './grants.ts';
export { createApiKey, listApiKeys, revokeApiKey, type ApiKeyRow } from './keys/admin-api-keys.ts';
export { findApiKey, type ApiKeyRecord } from './keys/find-api-key.ts';
export { rotateApiKey, type RotatedKey } from './keys/rotate-api-key.ts';
export * from './ledger.ts';
export * from './list-quarantine.ts';
export * from './outbox.ts';
export { decodeCursor, encodeCursor, invalidCursor, type Page, type PageRequest } from './page.ts';
export { emptySums, hasToSum, sumChanges, sumNextPage } from './project-metrics/bring-up-to-date.ts';
export type { ProjectMetrics } from './project-metrics/count-directly.ts';
export { readProjectMetrics } from './project-metrics/read-project-metrics.ts';
export { verifySums, type SumsVerification } from './project-metrics/verify-sums.ts';
export { readTimeline } from './read-timeline.ts';
export { createReplicaMetrics, watchReplicas, type Replicas } from './replicas/watch-replicas.ts';
export { readSources, type UserSources } from './read-sources.ts';
export * from './subscriptions/read-subscriptions.ts';
export { exportUser, type ExportedRow, type UserExport } from './users/export-user.ts';
export { findUsers, type FoundUser } from './users/find-users.ts';
export { listTimeline, type TimelineEntry } from './users/list-timeline.ts';
export { readUser, type MappedCustomer, type StoredUser } from './users/read-user.ts';
export * from './runs/create-run.ts';
export { newRunId } from './runs/new-run-id.ts';
export * from './runs/lease-run.ts';
export * from './runs/list-runs.ts';
export * from './runs/run-objects.ts';
export { listSoldPurchases, type SoldPurchase } from './sold/list-purchases.ts';
export { listSoldSubscriptions, type SoldSubscription } from './sold/list-subscriptions.ts';
export * from './sold/revenue-days.ts';
export { accountText, type AccountKey, type AskedCommand } from './usage/account-key.ts';
export { adjustUsage } from './usage/adjust-usage.ts';
export type { Committer } from './usage/create-committer.ts';
export { UsageUnavailable } from './usage/lines.ts';
export { createUsage, type Usage } from './usage/create-usage.ts';
export { listMeterReports, type ListedReport } from './usage/meters/list-meter-reports.ts';
export * from './usage/meters/meter-hours.ts';
export * from './usage/meters/meter-reports.ts';
export * from './usage/meters/read-meter-hours.ts';
export { readTopUsers, type TopUsers } from './usage/read-top-users.ts';
export * from './usage/read-usage.ts';
export { listUsageRefusals, writeUsageRefusal, type UsageRefusal } from './usage/refusals.ts';
export type { UsageCache, UsageLookUp } from './usage/usage-cache.ts';
export { toCheckCopy, type CheckCopy } from './usage/usage-entry.ts';
export type { UsageSettings } from './usage/usage-settings.ts';
export * from './usage/usage-weeks.ts';
export { deriveSources, type DerivedSources } from './usage/user-sources.ts';
export type { StoredReservation, StoredUsageEvent } from './usage/event-rows.ts';
export { eraseUsageEvents, eraseUsageStates, exportUsage, type ExportedUsage } from './usage/erase-usage.ts';
export * from './usage/tidy-usage.ts';
export { createWebhookEndpoint } from './webhooks/create-endpoint.ts';
export { deleteExpiredMessages } from './webhooks/delete-expired-messages.ts';
export { deleteWebhookEndpoint } from './webhooks/delete-endpoint.ts';
export type { ExportedWebhooks } from './webhooks/export-webhooks.ts';
export { getWebhookEndpoint, listWebhookEndpoints } from './webhooks/find-endpoint.ts';
export type { WebhookEndpoint, WebhookEndpointKey } from './webhooks/find-endpoint.ts';
export { findWebhookAttempts, getWebhookMessage } from './webhooks/find-message.ts';
export type { WebhookAttempt, WebhookMessage } from './webhooks/find-message.ts';
export { listWebhookDeliveries, type WebhookDelivery } from './webhooks/list-deliveries.ts';
export { patchWebhookEndpoint } from './webhooks/patch-endpoint.ts';
export { recordPing } from './webhooks/record-ping.ts';
export { requestBackfill } from './webhooks/request-backfill.ts';
export { rotateWebhookSecret } from './webhooks/rotate-secret.ts';
export * from './webhooks/webhook-keys.ts';
export { discardDeliveries } from './webhooks/discard-deliveries.ts';
export { resendMessage } from './webhooks/resend-message.ts';
export * from './webhooks/base-line.ts';
export { emitCrossings, emitProject } from './webhooks/emit-project.ts';
export { emitUsers, type EmitContext, type EmitOrder } from './webhooks/emit-users.ts';
export {
  endFanOuts,
  findFanOuts,
  finishFanOut,
  nextUsers,
  startBackfill,
  type Backfill,
  type FanOut,
} from './webhooks/fan-outs.ts';
export { findDiffering, isEndpointEnabled } from './webhooks/find-differing.ts';
export * from './webhooks/find-marks.ts';
export { giveBack, takePart, type Pace } from './webhooks/paces.ts';
export { putOff } from './webhooks/put-off.ts';
export { releaseMessages } from './webhooks/release-messages.ts';
export { startTelling, stopTelling } from './webhooks/start-telling.ts';
export type { WrittenMessages } from './webhooks/write-messages.ts';
export { claimDeliveries, type ClaimedSending } from './webhooks/claim-deliveries.ts';
export { countWebhooks, type WebhookCounts } from './webhooks/count-webhooks.ts';
export { disableEndpoint } from './webhooks/disable-endpoint.ts';
export { findDueEndpoints } from './webhooks/find-due-endpoints.ts';
export { recordTries, type EndpointToDisable, type RecordedTry } from './webhooks/record-tries.ts';
export { releaseClaims } from './webhooks/release-claims.ts';
