import { z } from 'zod';
import { toTimestamp, toTimestampOrNull } from '../time.ts';
import { usageWhys } from '../usage/explain-usage.ts';
import type { ExplainedUsage } from '../usage/explain-usage.ts';

const timestampOut = z.iso.datetime();

export const explainedUsageOut = z
  .object({
    feature_code: z.string(),
    kind: z.enum(['limit', 'metered']),
    gives: z
      .number()
      .int()
      .nullable()
      .describe(
        'The limit, or what its bucket is worth by the settings, without what was rolled over; null: unlimited.',
      ),
    why: z
      .enum(usageWhys)
      .describe(
        '`allowance`, `trial_allowance`, `limit`, `add_on`: as the settings of the product say; `amount`: as the grant says; `past_due_withheld`: by the policy; `no_settings`: the product or grant does not say how much; `not_in_force`: see `reason`.',
      ),
    bucket: z
      .object({
        period: z
          .string()
          .describe('The rule of its periods, such as `billing`, `month` or `month@Europe/Berlin`.'),
        period_start: timestampOut,
        period_end: timestampOut.nullable(),
        ends_at: timestampOut
          .nullable()
          .describe(
            'From when on it cannot be used: its end, or an earlier one of the source that is known.',
          ),
        overage_limit: z.number().int().nullable().describe('0: no overage; null: without limit.'),
        rollover_periods: z.number().int(),
      })
      .meta({ id: 'BucketTerms' })
      .nullable()
      .describe('Of a metered feature in force.'),
  })
  .meta({ id: 'ExplainedUsage' });

export const toExplainedUsageOut = (one: ExplainedUsage): z.output<typeof explainedUsageOut> => ({
  feature_code: one.featureCode,
  kind: one.kind,
  gives: one.gives,
  why: one.why,
  bucket:
    one.bucket === null
      ? null
      : {
          period: one.bucket.period,
          period_start: toTimestamp(one.bucket.start),
          period_end: toTimestampOrNull(one.bucket.end),
          ends_at: toTimestampOrNull(one.bucket.endsAt),
          overage_limit: one.bucket.overageLimit,
          rollover_periods: one.bucket.rolloverPeriods,
        },
});
