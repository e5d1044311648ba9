import { policyOverrides, priceIntervals, eventStatuses, resolvePolicy } from '@billing/domain';
import type {
  ApiKeyOut,
  AuditOut,
  EventOut,
  GrantResponse,
  PriceOut,
  ProductOut,
  ProjectOut,
  QuarantineOut,
} from '@billing/domain';
import type { ApiKeyRow, AuditRow, Grant, LedgerRow, Page, Price, Product, Project } from '@billing/store';
import { z } from 'zod';

/** Rows in the shape of the wire. */

const timestampOrNull = (at: Date | null): string | null => at?.toISOString() ?? null;

const stamps = (row: { createdAt: Date; updatedAt: Date }) => ({
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
});

export const presentProject = (row: Project, pastDueGraceDays: number): ProjectOut => ({
  project_id: row.id,
  name: row.name,
  description: row.description,
  is_active: row.isActive,
  policy: resolvePolicy(policyOverrides.parse(row.policy), pastDueGraceDays),
  redirect_origins: row.redirectOrigins,
  ...stamps(row),
});

export const presentApiKey = (row: ApiKeyRow): ApiKeyOut => ({
  key_id: row.id,
  project_id: row.projectId,
  name: row.name,
  prefix: row.prefix,
  scopes: row.scopes,
  created_at: row.createdAt.toISOString(),
  expires_at: timestampOrNull(row.expiresAt),
  revoked_at: timestampOrNull(row.revokedAt),
  last_used_at: timestampOrNull(row.lastUsedAt),
});

export const presentProduct = (row: Product): ProductOut => ({
  project_id: row.projectId,
  product_id: row.productId,
  name: row.name,
  description: row.description,
  feature_codes: row.featureCodes,
  is_archived: row.isArchived,
  ...stamps(row),
});

const interval = z.enum(priceIntervals);

export const presentPrice = (row: Price): PriceOut => ({
  project_id: row.projectId,
  price_id: row.priceId,
  product_id: row.productId,
  stripe_price_id: row.stripePriceId,
  amount: Number(row.amount),
  currency: row.currency,
  interval: interval.parse(row.interval),
  access_days: row.accessDays,
  is_archived: row.isArchived,
  ...stamps(row),
});

export const presentGrant = (row: Grant, user: { user_id: string; project_id: string }): GrantResponse => ({
  grant_id: row.id,
  user_id: user.user_id,
  project_id: user.project_id,
  feature_code: row.featureCode,
  valid_from: row.validFrom.toISOString(),
  valid_to: timestampOrNull(row.validTo),
  granted_at: row.grantedAt.toISOString(),
});

const status = z.enum(eventStatuses);

export const presentEvent = (row: LedgerRow): EventOut => ({
  event_id: row.eventId,
  type: row.type,
  object_id: row.objectId,
  status: status.parse(row.status),
  reason: row.reason,
  created: row.created.toISOString(),
  received_at: row.receivedAt.toISOString(),
  processed_at: row.processedAt.toISOString(),
  attempts: row.attempts,
});

export const presentQuarantined = (row: LedgerRow): QuarantineOut => ({
  ...presentEvent(row),
  customer_id: row.customerId,
  awaits: row.awaits,
});

const details = z.record(z.string(), z.unknown());

export const presentAudit = (row: AuditRow): AuditOut => ({
  audit_id: String(row.id),
  at: row.at.toISOString(),
  actor: row.actor,
  action: row.action,
  project_id: row.projectId,
  target_type: row.targetType,
  target_id: row.targetId,
  reason: row.reason,
  details: details.parse(row.details),
  request_id: row.requestId,
});

export const presentPage = <T, U>(
  page: Page<T>,
  present: (row: T) => U,
): { data: U[]; next_cursor: string | null } => ({
  data: page.rows.map(present),
  next_cursor: page.nextCursor,
});
