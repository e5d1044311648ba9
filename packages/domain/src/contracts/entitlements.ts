import { z } from 'zod';
import { toTimestamp, toTimestampOrNull } from '../time.ts';
import type { Instant } from '../time.ts';
import { reasons } from '../entitlements/judge.ts';
import type { Judgement } from '../entitlements/judge.ts';
import type { DerivedEntitlements, Entitlement } from '../entitlements/derive-entitlements.ts';
import { id } from '../ids.ts';

const timestampOut = z.iso.datetime();

export const entitlementsQuery = z.strictObject({
  user_id: id,
  project_id: id.optional(),
  feature_code: id.optional(),
  explain: z.enum(['true', 'false']).optional(),
});
export type EntitlementsQuery = z.output<typeof entitlementsQuery>;

export const batchRequest = z.strictObject({
  user_ids: z.array(id).min(1).max(100),
  project_id: id.optional(),
});

export const entitlementOut = z.object({
  feature_code: z.string(),
  is_active: z.literal(true),
  valid_from: timestampOut.nullable(),
  valid_to: timestampOut.nullable(),
  current_period_end: timestampOut.nullable(),
  source: z.enum(['subscription', 'purchase', 'manual']),
  source_id: z.string(),
  status: z.string(),
  quantity: z.number().int(),
  confirmed: z.boolean(),
});
export type EntitlementOut = z.output<typeof entitlementOut>;

export const explanationOut = z.object({
  source: z.enum(['subscription', 'purchase', 'manual']),
  source_id: z.string(),
  stripe_price_id: z.string().nullable(),
  feature_codes: z.array(z.string()),
  in_force: z.boolean(),
  reason: z.enum(reasons),
  status: z.string(),
  valid_from: timestampOut.nullable(),
  valid_to: timestampOut.nullable(),
  current_period_end: timestampOut.nullable(),
  quantity: z.number().int(),
  confirmed: z.boolean(),
  last_event: z.object({ event_id: z.string(), type: z.string(), created: timestampOut }).nullable(),
});
export type ExplanationOut = z.output<typeof explanationOut>;

export const entitlementsResponse = z.object({
  user_id: z.string(),
  project_id: z.string(),
  entitlements: z.array(entitlementOut),
  version: z.number().int(),
  as_of: timestampOut,
  valid_until: timestampOut.nullable(),
  checked_at: timestampOut,
  explanation: z.array(explanationOut).optional(),
});
export type EntitlementsResponse = z.output<typeof entitlementsResponse>;

export const batchResponse = z.object({ project_id: z.string(), results: z.array(entitlementsResponse) });

/** The answer as it is cached: without `checked_at`, which is added when it is sent. */
export type EntitlementsAnswer = Omit<EntitlementsResponse, 'checked_at' | 'explanation'>;

function toEntitlementOut(entitlement: Entitlement): EntitlementOut {
  return {
    feature_code: entitlement.featureCode,
    is_active: true,
    valid_from: toTimestampOrNull(entitlement.validFrom),
    valid_to: toTimestampOrNull(entitlement.validTo),
    current_period_end: toTimestampOrNull(entitlement.currentPeriodEnd),
    source: entitlement.source,
    source_id: entitlement.sourceId,
    status: entitlement.status,
    quantity: entitlement.quantity,
    confirmed: entitlement.confirmed,
  };
}

export function toExplanationOut(judgement: Judgement): ExplanationOut {
  const { lastEvent } = judgement;
  return {
    source: judgement.source,
    source_id: judgement.sourceId,
    stripe_price_id: judgement.stripePriceId,
    feature_codes: [...judgement.featureCodes],
    in_force: judgement.inForce,
    reason: judgement.reason,
    status: judgement.status,
    valid_from: toTimestampOrNull(judgement.validFrom),
    valid_to: toTimestampOrNull(judgement.validTo),
    current_period_end: toTimestampOrNull(judgement.currentPeriodEnd),
    quantity: judgement.quantity,
    confirmed: judgement.confirmed,
    last_event:
      lastEvent === null
        ? null
        : { event_id: lastEvent.event_id, type: lastEvent.type, created: toTimestamp(lastEvent.created) },
  };
}

export type AnswerContext = { userId: string; projectId: string; version: number; asOf: Instant };

export function toEntitlementsAnswer(
  derived: DerivedEntitlements,
  context: AnswerContext,
): EntitlementsAnswer {
  return {
    user_id: context.userId,
    project_id: context.projectId,
    entitlements: derived.entitlements.map(toEntitlementOut),
    version: context.version,
    as_of: toTimestamp(context.asOf),
    valid_until: toTimestampOrNull(derived.validUntil),
  };
}
