export * from './change-user.ts';
export * from './create-database.ts';
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
  drainInvalidations,
  settleInvalidations,
  type DrainOptions,
  type InvalidationDeps,
} from './invalidations.ts';
export { findApiKey, touchApiKey, type ApiKeyRecord } from './keys/find-api-key.ts';
