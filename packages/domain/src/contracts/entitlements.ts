import { z } from 'zod';
import { toTimestamp, toTimestampOrNull } from '../time.ts';
import type { Instant } from '../time.ts';
import { reasons, sourceKinds } from '../entitlements/evaluate.ts';
import type { Evaluation } from '../entitlements/evaluate.ts';
import type { DerivedEntitlements, Entitlement } from '../entitlements/derive-entitlements.ts';
import { id } from '../ids.ts';
import { ownerSources } from '../order/resolve-owner.ts';
import type { DerivedUsage } from '../usage/entitlement-usage.ts';
import type { ExplainedUsage } from '../usage/explain-usage.ts';
import { featureKinds } from '../usage/features.ts';
import { explainedUsageOut, toExplainedUsageOut } from './explained-usage.ts';
import { queryFlag } from './query-flag.ts';
import { balanceOut } from './usage.ts';

const timestampOut = z.iso.datetime();

export const entitlementsQuery = z.strictObject({
  user_id: id,
  project_id: id.optional().describe('Optional; must be the project of the API key.'),
  feature_code: id.optional().describe('Only this feature.'),
  include: z
    .enum(['usage'])
    .optional()
    .describe('With `usage`, entries of metered features and counted limits have their `balance`.'),
  explain: queryFlag(
    'With `true`, the answer explains every source that was considered, in force or not. With `feature_code`: those that have the feature, and those of which it is not known, as their price is not mapped.',
  ),
});
export type EntitlementsQuery = z.output<typeof entitlementsQuery>;

export const batchRequest = z
  .strictObject({
    user_ids: z.array(id).min(1).max(100).describe('The results have the same order.'),
    project_id: id.optional().describe('Optional; must be the project of the API key.'),
  })
  .meta({ id: 'BatchRequest' });

/** Shared by the entitlements and their explanation. */
const sourceFields = {
  valid_from: timestampOut.nullable(),
  valid_to: timestampOut
    .nullable()
    .describe(
      'When access ends if no further event arrives: for a subscription that renews, the end of the paid period plus an allowance; null: no end.',
    ),
  current_period_end: timestampOut
    .nullable()
    .describe('Subscriptions only: the end of the paid period itself.'),
  source: z
    .enum(sourceKinds)
    .describe('`default`: a product that everybody has while nothing else of its group is in force.'),
  source_id: z.string(),
  status: z.string(),
  quantity: z.number().int(),
  confirmed: z
    .boolean()
    .describe(
      'False while the state may be outdated because Stripe could not be asked, or does not have the object.',
    ),
};

export const entitlementOut = z
  .object({
    feature_code: z.string(),
    is_active: z.literal(true),
    ...sourceFields,
    quantity: z
      .number()
      .int()
      .describe('The sum over the items of the listed source that grant the feature.'),
    kind: z
      .enum(featureKinds)
      .optional()
      .describe('What the code stands for. Absent: an older version of the service answered.'),
    limit: z
      .number()
      .int()
      .nullable()
      .optional()
      .describe('Limits only: that of all sources together; null: unlimited.'),
    value: z.unknown().optional().meta({
      description: "Limits only: the setting's value, of the first listed source that has one, else null.",
    }),
    allowance: z
      .number()
      .int()
      .nullable()
      .optional()
      .describe(
        'Metered features only: what the listed source gives for its present period, without what was rolled over; null: unlimited.',
      ),
    balance: balanceOut.optional().describe('With `include=usage`: of metered features and counted limits.'),
    period_start: timestampOut.nullable().optional().describe('Metered features only.'),
    period_end: timestampOut.nullable().optional().describe('Metered features only; null: no end.'),
  })
  .meta({ id: 'Entitlement' });
export type EntitlementOut = z.output<typeof entitlementOut>;

export const explanationOut = z
  .object({
    ...sourceFields,
    stripe_price_id: z.string().nullable(),
    feature_codes: z.array(z.string()),
    in_force: z.boolean(),
    reason: z.enum(reasons),
    last_event: z
      .object({ event_id: z.string(), type: z.string(), created: timestampOut })
      .meta({ id: 'LastEvent' })
      .nullable(),
    usage: z
      .array(explainedUsageOut)
      .optional()
      .describe('What the source, or the item, gives of each limit and metered feature; absent: of none.'),
    owner_source: z
      .enum(ownerSources)
      .nullable()
      .optional()
      .describe(
        "Subscriptions and purchases: how the owner is known. `assignment`: an operator's; `mapping`: of the Stripe customer; `metadata`; `buyer_hint`: a `client_reference_id`, which a buyer can type.",
      ),
    duplicate_of: z
      .string()
      .optional()
      .describe(
        'Live subscriptions: the oldest other one of the user to the same price or of the same group. Absent: there is no older one.',
      ),
  })
  .meta({ id: 'Explanation' });
export type ExplanationOut = z.output<typeof explanationOut>;

export const entitlementsResponse = z
  .object({
    user_id: z.string(),
    project_id: z.string(),
    entitlements: z.array(entitlementOut),
    version: z.number().int().describe('Grows with every change to this user.'),
    as_of: timestampOut.describe('When it was computed from the database.'),
    valid_until: timestampOut
      .nullable()
      .describe('The next moment at which the answer changes without an event; null: never.'),
    checked_at: timestampOut.describe('When the answer was sent.'),
    explanation: z.array(explanationOut).optional().describe('With `explain=true` only.'),
  })
  .meta({ id: 'Entitlements' });
export type EntitlementsResponse = z.output<typeof entitlementsResponse>;

export const batchResponse = z
  .object({ project_id: z.string(), results: z.array(entitlementsResponse) })
  .meta({ id: 'BatchResponse' });

/** The answer as it is cached. `checked_at` is added when it is sent. */
export type EntitlementsAnswer = Omit<EntitlementsResponse, 'checked_at' | 'explanation'>;

const toSourceFields = (one: Entitlement | Evaluation) => ({
  valid_from: toTimestampOrNull(one.validFrom),
  valid_to: toTimestampOrNull(one.validTo),
  current_period_end: toTimestampOrNull(one.currentPeriodEnd),
  source: one.source,
  source_id: one.sourceId,
  status: one.status,
  quantity: one.quantity,
  confirmed: one.confirmed,
});

const toEntitlementOut = (entitlement: Entitlement, { usage }: DerivedUsage): EntitlementOut => ({
  feature_code: entitlement.featureCode,
  is_active: true,
  ...toSourceFields(entitlement),
  ...(usage.get(entitlement.featureCode) ?? { kind: 'boolean' }),
});

/** What is known besides: usage that the source gives; of each duplicate the older subscription, by their ids. */
type Explained = { usage?: readonly ExplainedUsage[]; duplicates?: Readonly<Record<string, string>> };

/** A source that was considered, in force or not, as `explain=true` shows it. */
export function toExplanationOut(
  evaluation: Evaluation,
  { usage = [], duplicates }: Explained = {},
): ExplanationOut {
  const lastEvent = 'lastEvent' in evaluation.of ? evaluation.of.lastEvent : null;
  const first = evaluation.source === 'subscription' ? duplicates?.[evaluation.sourceId] : undefined;
  return {
    ...toSourceFields(evaluation),
    stripe_price_id: evaluation.stripePriceId,
    feature_codes: [...evaluation.featureCodes],
    in_force: evaluation.inForce,
    reason: evaluation.reason,
    last_event:
      lastEvent === null
        ? null
        : { event_id: lastEvent.event_id, type: lastEvent.type, created: toTimestamp(lastEvent.created) },
    ...(usage.length === 0 ? {} : { usage: usage.map(toExplainedUsageOut) }),
    owner_source: ('ownerSource' in evaluation.of ? evaluation.of.ownerSource : null) ?? null,
    ...(first === undefined ? {} : { duplicate_of: first }),
  };
}

export type AnswerContext = { userId: string; projectId: string; version: number; asOf: Instant };

export function toEntitlementsAnswer(
  { entitlements }: DerivedEntitlements,
  usage: DerivedUsage,
  context: AnswerContext,
): EntitlementsAnswer {
  return {
    user_id: context.userId,
    project_id: context.projectId,
    entitlements: entitlements.map((one) => toEntitlementOut(one, usage)),
    version: context.version,
    as_of: toTimestamp(context.asOf),
    valid_until: toTimestampOrNull(usage.validUntil),
  };
}
