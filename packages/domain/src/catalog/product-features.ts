import { ServiceError } from '../errors.ts';
import type { FieldProblem } from '../errors.ts';
import type { ProductFeatures } from '../contracts/admin/product-features.ts';
import { featureOf, kindProblem, settingsOf } from '../usage/features.ts';
import type { FeaturesByCode, FeatureSettings, SettingsByCode } from '../usage/features.ts';

/** What a product gives: all its codes, and the settings of those that are limits or metered. */
export type ProductGives = { featureCodes: readonly string[]; settings: SettingsByCode };

/** What a request says of it; each may be absent. */
export type SentFeatures = {
  feature_codes?: readonly string[] | undefined;
  features?: ProductFeatures | undefined;
};

export const mostProductFeatures = 200;

/**
 * What a product gives after a change: `feature_codes` replaces the codes, of which those that stay keep their settings;
 * `features` replaces those with settings.
 */
export function changeProductFeatures(
  { featureCodes, settings }: ProductGives,
  { feature_codes: codes, features }: SentFeatures,
): ProductGives {
  const hasSettings = (code: string): boolean => settingsOf(settings, code) !== undefined;
  const kept =
    codes ?? (features === undefined ? featureCodes : featureCodes.filter((one) => !hasSettings(one)));
  const all = [...new Set([...kept, ...(features ?? []).map((one) => one.feature_code)])];
  const sent = new Map(features?.map((one) => [one.feature_code, one.settings]));
  const settingsAfter = (code: string): FeatureSettings | undefined =>
    features === undefined ? settingsOf(settings, code) : sent.get(code);
  const entries = all.flatMap((code) => {
    const one = settingsAfter(code);
    return one === undefined ? [] : [[code, one] as const];
  });
  return { featureCodes: all, settings: Object.fromEntries(entries) };
}

const messages = {
  takes_no_settings: {
    field: 'feature_code',
    message: 'is boolean and takes no settings: describe it as a limit or metered feature first',
  },
  needs_limit: { field: 'limit', message: 'is needed: the feature is a limit' },
  needs_allowance: { field: 'allowance', message: 'is needed: the feature is metered' },
} as const;

/**
 * Throws where codes and settings do not fit what the codes stand for: `feature_needs_settings`, or `invalid_request` with
 * the fields of `features`.
 */
export function requireFittingFeatures(
  { featureCodes, settings }: ProductGives,
  kinds: FeaturesByCode,
  { features = [] }: SentFeatures,
): void {
  const errors: FieldProblem[] = [];
  for (const code of featureCodes) {
    const problem = kindProblem(featureOf(kinds, code).kind, settingsOf(settings, code));
    if (problem === 'feature_needs_settings')
      throw new ServiceError(problem, `Name ${code} in \`features\`, with its settings.`);
    if (problem === null) continue;
    const { field, message } = messages[problem];
    const index = features.findIndex((one) => one.feature_code === code);
    errors.push({ path: index === -1 ? 'features' : `features.${index}.${field}`, message });
  }
  if (featureCodes.length > mostProductFeatures)
    errors.push({ path: 'features', message: `makes more than ${mostProductFeatures} codes in all` });
  if (errors.length > 0)
    throw new ServiceError('invalid_request', 'Send settings that fit what the features are.', { errors });
}
