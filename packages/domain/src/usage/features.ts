import type { StorableJson } from './storable-json.ts';
import type { PeriodUnit } from './periods.ts';

export const featureKinds = ['boolean', 'limit', 'metered'] as const;
export type FeatureKind = (typeof featureKinds)[number];

/** The meter of Stripe that usage, or its overage only, is reported to. */
export type StripeMeter = { event_name: string; report: 'all' | 'overage' };

/** A described feature of a project. A code that nobody described is boolean. */
export type Feature = {
  kind: FeatureKind;
  /** Of limits: the service counts what is in use (seats), so that usage can be taken from it. */
  counted: boolean;
  /** Whole percents of a bucket's `granted` (counted: of `limit`) whose crossing is told, ascending. */
  thresholds: readonly number[];
  /** Of metered features, unless a product says another; absent: usage is not billed by Stripe. */
  stripe_meter?: StripeMeter;
};

export const undescribedFeature: Feature = { kind: 'boolean', counted: false, thresholds: [] };

/** Limit: how many at once. Null is unlimited. */
export type LimitSettings = {
  limit: number | null;
  /** What else the setting says; absent: nothing. */
  value?: StorableJson;
  /** The limit is for one of the item's quantity. */
  per_unit: boolean;
  /** Added to the greatest of the base limits. */
  add_on: boolean;
};

export const allowancePeriods = ['billing', 'day', 'week', 'month', 'year', 'once'] as const;
export type AllowancePeriod = PeriodUnit | 'billing' | 'once';

/** Metered: an allowance that is used up. Null is unlimited. */
export type MeteredSettings = {
  allowance: number | null;
  /** In place of `allowance` in a trial; absent: the same. */
  trial_allowance?: number | null;
  period: AllowancePeriod;
  /** Where periods begin to count; means nothing for `billing` and `once`. */
  anchor: 'source' | 'calendar';
  per_unit: boolean;
  overage: 'deny' | 'allow';
  /** Of `overage: allow`; null: no limit. */
  overage_limit: number | null;
  rollover?: { periods: number; max?: number };
  stripe_meter?: StripeMeter;
};

export type FeatureSettings = LimitSettings | MeteredSettings;

/** The settings of a product's features, by code: of those that have some. */
export type SettingsByCode = Readonly<Record<string, FeatureSettings>>;

export const isMetered = (settings: FeatureSettings | undefined): settings is MeteredSettings =>
  settings !== undefined && 'allowance' in settings;

export const isLimit = (settings: FeatureSettings | undefined): settings is LimitSettings =>
  settings !== undefined && 'limit' in settings;

/** Of one's own fields only: a code may be called `constructor`. */
export const settingsOf = (
  all: SettingsByCode | null | undefined,
  code: string,
): FeatureSettings | undefined =>
  all !== undefined && all !== null && Object.hasOwn(all, code) ? all[code] : undefined;

/** A project's limits and metered features, by code: all others are boolean. */
export type FeaturesByCode = Readonly<Record<string, Feature>>;

export const featureOf = (all: FeaturesByCode, code: string): Feature =>
  (Object.hasOwn(all, code) ? all[code] : undefined) ?? undescribedFeature;

/** Why settings do not fit the feature's kind; null: they do. `undefined`: a code without settings. */
export function kindProblem(
  kind: FeatureKind,
  settings: FeatureSettings | undefined,
): 'feature_needs_settings' | 'takes_no_settings' | 'needs_limit' | 'needs_allowance' | null {
  if (kind === 'boolean') return settings === undefined ? null : 'takes_no_settings';
  if (settings === undefined) return 'feature_needs_settings';
  if (kind === 'limit') return isLimit(settings) ? null : 'needs_limit';
  return isMetered(settings) ? null : 'needs_allowance';
}
