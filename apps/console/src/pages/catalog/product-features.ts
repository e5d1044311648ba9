import type { FeatureOut, ProductOut } from '@billing/domain';
import { givenNumber, isOn, jsonOf, rowsOf, textOf } from '../../parts/values.ts';
import type { Field, RowsField, Values } from '../../parts/values.ts';
import { meterOf } from './meter-fields.ts';
import { limitFields, meteredFields } from './setting-fields.ts';

type Setting = ProductOut['features'][number];
type Kind = FeatureOut['kind'];

/** A number as an input has it. */
const written = (value: number | null | undefined): string => (value ?? '').toString();

/** What a product gives of one feature, as the form has it. */
function rowOf(code: string, setting: Setting | undefined): Values {
  if (setting === undefined) return { feature_code: code };
  const { limit, allowance, trial_allowance: inTrial, rollover, stripe_meter: meter } = setting;
  return {
    feature_code: code,
    kind: limit === undefined ? 'metered' : 'limit',
    is_unlimited: limit === null || allowance === null,
    limit: written(limit),
    allowance: written(allowance),
    per_unit: setting.per_unit,
    add_on: setting.add_on ?? false,
    value: setting.value === undefined ? '' : JSON.stringify(setting.value),
    period: setting.period ?? 'billing',
    anchor: setting.anchor ?? 'source',
    in_trial: inTrial === undefined ? 'same' : inTrial === null ? 'unlimited' : 'other',
    trial_allowance: written(inTrial),
    overage: setting.overage ?? 'deny',
    overage_limit: written(setting.overage_limit),
    rollover_periods: written(rollover?.periods),
    rollover_max: written(rollover?.max),
    meter: meter?.event_name ?? '',
    report: meter?.report ?? 'all',
  };
}

const withAllowance = (row: Values): object => {
  const periods = givenNumber(row, 'rollover_periods');
  const period = textOf(row, 'period') || 'billing';
  const overage = textOf(row, 'overage') || 'deny';
  const inTrial = { same: undefined, unlimited: null, other: givenNumber(row, 'trial_allowance') };
  const chosen = textOf(row, 'in_trial');
  return {
    allowance: isOn(row, 'is_unlimited') ? null : givenNumber(row, 'allowance'),
    trial_allowance: chosen === 'other' || chosen === 'unlimited' ? inTrial[chosen] : undefined,
    period,
    anchor: textOf(row, 'anchor') || 'source',
    per_unit: isOn(row, 'per_unit'),
    overage,
    overage_limit: overage === 'allow' ? (givenNumber(row, 'overage_limit') ?? null) : null,
    rollover:
      periods === undefined || period === 'once'
        ? undefined
        : { periods, max: givenNumber(row, 'rollover_max') },
    stripe_meter: meterOf(row),
  };
};

const withLimit = (row: Values): object => ({
  limit: isOn(row, 'is_unlimited') ? null : givenNumber(row, 'limit'),
  value: jsonOf(row, 'value'),
  per_unit: isOn(row, 'per_unit'),
  add_on: isOn(row, 'add_on'),
});

const settingsOfKind: Readonly<Record<Kind, readonly Field[]>> = {
  boolean: [],
  limit: limitFields,
  metered: meteredFields,
};
const kindWords: Readonly<Record<Kind, string>> = {
  boolean: 'on or off',
  limit: 'a limit',
  metered: 'metered',
};

/** The features of a product as fields, and as the API has them. */
export type FeaturesForm = { field: RowsField; read: (values: Values) => object[] };

/** `described`: the features of the project; a code that is none of them is on or off. */
export function featuresForm(described: readonly FeatureOut[], product?: ProductOut): FeaturesForm {
  const kinds = new Map(described.map(({ feature_code: code, kind }) => [code, kind]));
  const kindOf = (row: Values): Kind => {
    const stored = textOf(row, 'kind');
    const otherwise = stored === 'limit' || stored === 'metered' ? stored : 'boolean';
    return kinds.get(textOf(row, 'feature_code')) ?? otherwise;
  };
  const code: Field = {
    kind: 'suggest',
    name: 'feature_code',
    label: 'Feature',
    isRequired: true,
    options: [...kinds.keys()].toSorted(),
    description: (row) =>
      kindOf(row) === 'boolean' ? 'On or off. Describe it under Features to give so many of it.' : '',
  };
  const settings = new Map(product?.features.map((one) => [one.feature_code, one]));
  const field: RowsField = {
    kind: 'rows',
    name: 'features',
    label: 'Features',
    description: 'All that it gives, and how much of it.',
    addLabel: 'Add a feature',
    fieldsOf: (row) => [code, ...settingsOfKind[kindOf(row)]],
    rowName: (row) => {
      const name = textOf(row, 'feature_code');
      return name === '' ? 'New feature' : `${name}, ${kindWords[kindOf(row)]}`;
    },
    initial: product?.feature_codes.map((one) => rowOf(one, settings.get(one))) ?? [],
  };
  const read = (values: Values): object[] =>
    rowsOf(values, 'features').map((row) => {
      const kind = kindOf(row);
      const own = kind === 'limit' ? withLimit(row) : kind === 'metered' ? withAllowance(row) : {};
      return { feature_code: textOf(row, 'feature_code'), ...own };
    });
  return { field, read };
}
