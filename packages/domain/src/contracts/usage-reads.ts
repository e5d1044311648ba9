import { z } from 'zod';
import { id } from '../ids.ts';
import { timestamp } from '../time.ts';
import { amount, maxAmount } from '../usage/amounts.ts';
import { usageReasons } from '../usage/reasons.ts';
import { usageEventKinds } from '../usage/usage-event.ts';
import { bucketSources } from '../usage/usage-state.ts';
import { listOf, pageFields } from './admin/listing.ts';
import { queryAmount } from './query-amount.ts';
import { checkOut, usageOut } from './usage.ts';

const timestampOut = z.iso.datetime();
const amountOut = z.number().int();

const ofKey = id.optional().describe('Optional; must be the project of the API key.');
const required = 'How much is to be used. A check takes nothing.';

export const checkQuery = z.strictObject({
  user_id: id,
  feature_code: id,
  project_id: ofKey,
  required: queryAmount(maxAmount).default(1).describe(required),
  min_usage_seq: queryAmount(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe(
      'An answer that is not older than this `usage_seq`, which another call gave. Where Postgres has nothing that new, such as after an erasure, what it has is the answer.',
    ),
});
export type CheckQuery = z.output<typeof checkQuery>;
/** Of an administrator, whose path names the project; so are the others. */
export const adminCheckQuery = checkQuery.omit({ project_id: true });

const checkAmount = amount.default(1).describe(required);

export const checkBatchRequest = z
  .union([
    z
      .strictObject({
        user_ids: z.array(id).min(1).max(100).describe('The results have the same order.'),
        feature_code: id,
        required: checkAmount,
        project_id: ofKey,
      })
      .meta({ id: 'ChecksOfUsers' }),
    z
      .strictObject({
        user_id: id,
        feature_codes: z.array(id).min(1).max(100).describe('The results have the same order.'),
        required: checkAmount,
        project_id: ofKey,
      })
      .meta({ id: 'ChecksOfFeatures' }),
  ])
  .meta({ id: 'UsageCheckBatch' });
export type CheckBatchRequest = z.output<typeof checkBatchRequest>;

export const checkBatchOut = z.object({ results: z.array(checkOut) }).meta({ id: 'UsageChecks' });

export const queuedOut = z
  .object({ event_id: z.string(), queued: z.literal(true) })
  .meta({ id: 'QueuedUsage', description: 'Usage that is applied later: the database cannot be reached.' });
export type QueuedOut = z.output<typeof queuedOut>;

export const usageBatchRequest = z
  .strictObject({
    project_id: ofKey,
    events: z
      .array(z.unknown())
      .min(1)
      .max(500)
      .meta({ description: 'Bodies of `POST /api/v1/usage`. One that is refused refuses no other.' }),
  })
  .meta({ id: 'UsageBatch' });

export const refusedUsageOut = z
  .object({
    event_id: z.string().nullable().describe('Null: the entry has none that is valid.'),
    error: z.object({ code: z.string(), detail: z.string() }),
  })
  .meta({ id: 'RefusedUsage', description: 'An entry that is refused by itself.' });

export const usageBatchOut = z
  .object({
    results: z.array(z.union([usageOut, queuedOut, refusedUsageOut])).describe('In the order of the events.'),
  })
  .meta({ id: 'UsageResults' });
export type UsageBatchOut = z.output<typeof usageBatchOut>;

export const usageSeriesQuery = z.strictObject({
  user_id: id,
  feature_code: id,
  project_id: ofKey,
  from: timestamp('From this moment on.').optional(),
  to: timestamp('Up to this moment, exclusive.').optional(),
  by: z
    .enum(['hour', 'day', 'month'])
    .default('day')
    .describe("Days and months are those of the policy's `usage_timezone`."),
});
export type UsageSeriesQuery = z.output<typeof usageSeriesQuery>;
export const adminUsageSeriesQuery = usageSeriesQuery.omit({ project_id: true });

export const usageSeriesOut = z
  .object({
    data: z
      .array(z.object({ start: timestampOut, quantity: amountOut }))
      .describe('In the order of time, without those in which nothing was recorded.'),
  })
  .meta({ id: 'UsageSeries' });

export const usageEventsQuery = z.strictObject({
  user_id: id,
  feature_code: id,
  project_id: ofKey,
  ...pageFields,
});
export type UsageEventsQuery = z.output<typeof usageEventsQuery>;
export const adminUsageEventsQuery = usageEventsQuery.omit({ project_id: true });

export const usageEventOut = z
  .object({
    event_id: z.string().describe("The client's id; of `reservation`, that of the reservation."),
    user_id: z.string(),
    feature_code: z.string(),
    kind: z.enum(usageEventKinds),
    mode: z.enum(['enforce', 'record']),
    quantity: amountOut,
    timestamp: timestampOut.describe('When it happened.'),
    recorded_at: timestampOut,
    corrects: z.string().nullable(),
    corrected: amountOut.describe('How much of it later events gave back.'),
    allowed: z.boolean(),
    reason: z.enum(usageReasons),
    parts: z
      .array(
        z.object({
          source: z.enum(bucketSources),
          source_id: z.string(),
          period_start: timestampOut,
          quantity: amountOut,
          overage: amountOut,
        }),
      )
      .describe('Which bucket gave how much; they sum to `quantity`. None for a counted limit.'),
    properties: z.unknown(),
    usage_seq: z.number().int(),
  })
  .meta({ id: 'RecordedUsage' });
export type UsageEventOut = z.output<typeof usageEventOut>;
export const usageEventList = listOf(usageEventOut).meta({ id: 'RecordedUsageList' });

export const usageRefusalsQuery = z.strictObject({ project_id: id.optional(), ...pageFields });

export const usageRefusalOut = z
  .object({
    project_id: z.string(),
    user_id: z.string(),
    feature_code: z.string(),
    event_id: z.string(),
    refused_at: timestampOut,
    code: z.string(),
    detail: z.string(),
    request: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'UsageRefusal' });
export const usageRefusalList = listOf(usageRefusalOut).meta({ id: 'UsageRefusalList' });

export const meterReportStates = ['waiting', 'due', 'sending', 'too_late', 'delivered'] as const;

const undelivered = 'waiting, due, sending, too_late';

export const meterReportsQuery = z.strictObject({
  project_id: id.optional(),
  state: z
    .enum(meterReportStates)
    .optional()
    .describe(
      `\`waiting\`: for the user's Stripe customer; \`due\`: an hour whose usage is to be reported; \`sending\`: Stripe has not confirmed it yet; \`too_late\`: older than 35 days before it could be sent. Without it: ${undelivered}.`,
    ),
  ...pageFields,
});
export type MeterReportsQuery = z.output<typeof meterReportsQuery>;

export const meterReportOut = z
  .object({
    project_id: z.string(),
    user_id: z.string(),
    feature_code: z.string(),
    hour: timestampOut,
    state: z.enum(meterReportStates),
    /** Of an hour that is not reported yet, it is not decided. */
    sequence: z.number().int().nullable(),
    quantity: z.number().int().nullable().describe('Null: of an hour that is not reported yet.'),
    event_name: z.string().nullable(),
    stripe_customer_id: z.string().nullable(),
    since: timestampOut.describe('Since when it waits; of the others, when it was first sent, or listed.'),
    attempts: z.number().int(),
    problem: z.string().nullable().describe('Why the last attempt brought nothing.'),
  })
  .meta({ id: 'MeterReport' });
export type MeterReportOut = z.output<typeof meterReportOut>;
export const meterReportList = listOf(meterReportOut).meta({ id: 'MeterReportList' });
