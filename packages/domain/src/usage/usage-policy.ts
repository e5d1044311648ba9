import { z } from 'zod';
import { isTimeZone } from './zoned-time.ts';

/** What a project's policy says of usage. */
export const usagePolicyFields = {
  /**
   * `grant`: a period whose payment failed keeps its allowance in grace; `withhold`: while past due the bucket of that
   * period is worth 0.
   */
  past_due_allowance: z.enum(['grant', 'withhold']),
  /** The IANA zone by which `anchor: calendar` counts, and the days and months of usage series. */
  usage_timezone: z
    .string()
    .max(64)
    .refine(isTimeZone, { message: 'must be the name of a time zone, such as Europe/Berlin' })
    .describe('An IANA time zone, such as `Europe/Berlin`. Changing it begins new calendar buckets.'),
};

const usagePolicy = z.strictObject(usagePolicyFields);
export type UsagePolicy = z.output<typeof usagePolicy>;

export const defaultUsagePolicy: UsagePolicy = { past_due_allowance: 'grant', usage_timezone: 'UTC' };
