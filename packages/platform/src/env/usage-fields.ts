import { dayMs, hourMs } from '@billing/domain';
import { envVar } from './fields.ts';

/** What both apps must decide usage by alike. */
export const usageFields = {
  PAST_DUE_GRACE_DAYS: envVar.int({ min: 0, max: 365, default: 7 }),
  RENEWAL_ALLOWANCE_HOURS: envVar.number({ min: 0, max: 720, default: 24 }),
  /** How long event ids are remembered, and events are kept. */
  USAGE_EVENT_RETENTION_DAYS: envVar.number({ min: 0, max: 36_500, default: 92 }),
  /** How long the series of usage goes back. */
  USAGE_SERIES_RETENTION_DAYS: envVar.number({ min: 0, max: 36_500, default: 400 }),
  /** How late usage may be told. */
  USAGE_LATE_DAYS: envVar.number({ min: 0, max: 36_500, default: 35 }),
};

export type UsageEnvironment = { [Name in keyof typeof usageFields]: number };

export const usageSettings = (parsed: UsageEnvironment) => ({
  pastDueGraceDays: parsed.PAST_DUE_GRACE_DAYS,
  renewalAllowanceMs: parsed.RENEWAL_ALLOWANCE_HOURS * hourMs,
  lateMs: parsed.USAGE_LATE_DAYS * dayMs,
  retentionMs: parsed.USAGE_EVENT_RETENTION_DAYS * dayMs,
  seriesMs: parsed.USAGE_SERIES_RETENTION_DAYS * dayMs,
});
