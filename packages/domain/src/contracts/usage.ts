import { z } from 'zod';
import { featureKinds } from '../usage/features.ts';
import { usageReasons } from '../usage/reasons.ts';
import { bucketSources } from '../usage/usage-state.ts';

const timestampOut = z.iso.datetime();
const amountOut = z.number().int();

export const usageBucketOut = z
  .object({
    source: z.enum(bucketSources),
    source_id: z.string(),
    period_start: timestampOut,
    period_end: timestampOut.nullable().describe('Null: no end.'),
    granted: amountOut.nullable().describe('`rolled_over` included; null: unlimited.'),
    rolled_over: amountOut,
    used: amountOut,
    held: amountOut,
    remaining: amountOut.nullable(),
  })
  .meta({ id: 'UsageBucket' });
export type UsageBucketOut = z.output<typeof usageBucketOut>;

export const balanceOut = z
  .object({
    granted: amountOut.nullable().describe('Null: unlimited.'),
    used: amountOut.describe('All that was recorded, overage included.'),
    held: amountOut.describe('By open reservations.'),
    remaining: amountOut.nullable().describe('What the allowances still cover; null: unlimited.'),
    overage: amountOut.describe('The part of `used` that no allowance covered when it was taken.'),
    overage_limit: amountOut.nullable().describe('0: none is allowed; null: without limit.'),
    unlimited: z.boolean(),
    resets_at: timestampOut.nullable().describe('When the next period of a bucket begins.'),
    next_expiry: z
      .object({ at: timestampOut, amount: amountOut })
      .meta({ id: 'NextExpiry' })
      .nullable()
      .describe('When a part of `remaining` is lost, and how much.'),
    buckets: z.array(usageBucketOut).describe('In the order in which they are burnt.'),
  })
  .meta({ id: 'Balance' });
export type BalanceOut = z.output<typeof balanceOut>;

export const checkOut = z
  .object({
    user_id: z.string(),
    project_id: z.string(),
    feature_code: z.string(),
    kind: z.enum(featureKinds),
    allowed: z.boolean(),
    reason: z.enum(usageReasons),
    required: amountOut,
    limit: amountOut.nullable().describe('Limits only; null: unlimited.'),
    value: z.unknown().describe("Limits only: the setting's value."),
    balance: balanceOut.nullable().describe('Metered features and counted limits only.'),
    version: z.number().int(),
    usage_seq: z.number().int(),
    as_of: timestampOut,
    valid_until: timestampOut.nullable(),
    checked_at: timestampOut,
  })
  .meta({ id: 'UsageCheck' });
export type CheckOut = z.output<typeof checkOut>;

/** The answer as it is cached: `checked_at` is added when it is sent. */
export type CheckAnswer = Omit<CheckOut, 'checked_at'>;

export const usageOut = z
  .object({
    event_id: z.string(),
    recorded: z.boolean(),
    duplicate: z.boolean().describe('The event was known: nothing was taken again.'),
    allowed: z.boolean(),
    reason: z.enum([...usageReasons, 'stale']),
    quantity: amountOut,
    balance: balanceOut.nullable(),
    usage_seq: z.number().int(),
  })
  .meta({ id: 'UsageResult' });
export type UsageOut = z.output<typeof usageOut>;

export const reservationStates = ['held', 'confirmed', 'released', 'expired', 'charged'] as const;
export type ReservationState = (typeof reservationStates)[number];

export const reservationOut = z
  .object({
    reservation_id: z.string(),
    allowed: z.boolean(),
    reason: z.enum(usageReasons),
    state: z.enum([...reservationStates, 'denied']),
    quantity: amountOut.describe('Held, or (once it is confirmed or charged) taken.'),
    expires_at: timestampOut,
    late: z.boolean().describe('It was confirmed after it had expired.'),
    balance: balanceOut.nullable(),
    usage_seq: z.number().int(),
  })
  .meta({ id: 'Reservation' });
export type ReservationOut = z.output<typeof reservationOut>;
