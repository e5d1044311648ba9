import type { FeatureOut } from '@billing/domain';
import { pathOf } from '../../api/address.ts';
import type { Action } from '../../parts/action-type.ts';
import { givenText, isOn, linesOf, textOf } from '../../parts/values.ts';
import type { Field, Values } from '../../parts/values.ts';
import { meterFields, meterOf } from './meter-fields.ts';

const kinds = [
  { value: 'boolean', label: 'On or off' },
  { value: 'limit', label: 'A limit, such as seats' },
  { value: 'metered', label: 'Metered, such as calls' },
];

/** What a feature of this kind may say; `kindOf` reads it of what is filled in, or knows it. */
const fieldsOf = (
  kindOf: (values: Values) => { kind: string; isCounted: boolean },
  feature?: FeatureOut,
): Field[] => {
  const isMetered = (values: Values): boolean => kindOf(values).kind === 'metered';
  const isCounted = (values: Values): boolean => isMetered(values) || kindOf(values).isCounted;
  return [
    { kind: 'text', name: 'name', label: 'Name', initial: feature?.name ?? '' },
    {
      kind: 'text',
      name: 'unit',
      label: 'Unit',
      description: 'What is counted, for people: call, seat.',
      initial: feature?.unit ?? '',
      isShown: (values) => kindOf(values).kind !== 'boolean' || (feature?.unit ?? null) !== null,
    },
    {
      kind: 'area',
      name: 'thresholds',
      label: 'Thresholds',
      description: 'Whole percents, one a line: when usage reaches one, the product is told.',
      initial: feature?.thresholds.join('\n') ?? '',
      isShown: isCounted,
    },
    ...meterFields({
      description: 'The name of the meter’s events. Empty: none.',
      before: feature?.stripe_meter,
      isShown: isMetered,
    }),
  ];
};

const isLimit = (values: Values): boolean => textOf(values, 'kind') === 'limit';
const kindIn = (values: Values) => ({
  kind: textOf(values, 'kind'),
  isCounted: isLimit(values) && isOn(values, 'counted'),
});

export const createFeature = (projectId: string): Action => ({
  label: 'New feature',
  title: `New feature of ${projectId}`,
  words: 'Describes what a code stands for. Needed for limits and metered features.',
  least: 'admin',
  isTried: true,
  fields: [
    { kind: 'text', name: 'feature_code', label: 'Code', isRequired: true },
    { kind: 'select', name: 'kind', label: 'Kind', options: kinds, initial: 'boolean' },
    {
      kind: 'switch',
      name: 'counted',
      label: 'Counted',
      description: 'The product reports what is in use, and is refused more than the limit.',
      isShown: isLimit,
    },
    ...fieldsOf(kindIn),
  ],
  request: (values) => {
    const { kind, isCounted } = kindIn(values);
    const isTold = kind === 'metered' || isCounted;
    return {
      method: 'POST',
      path: pathOf`/api/v1/admin/projects/${projectId}/features`,
      body: {
        feature_code: textOf(values, 'feature_code'),
        kind,
        counted: isCounted,
        name: givenText(values, 'name'),
        unit: kind === 'boolean' ? undefined : givenText(values, 'unit'),
        // What was filled in for another kind is not shown any more.
        thresholds: isTold ? linesOf(values, 'thresholds').map(Number) : [],
        stripe_meter: kind === 'metered' ? meterOf(values) : undefined,
      },
    };
  },
});

export const changeFeature = (feature: FeatureOut): Action => ({
  label: 'Change',
  title: `Change ${feature.feature_code}`,
  words: 'What people call it, when products are told, and which meter of Stripe hears of it.',
  least: 'admin',
  isTried: true,
  fields: fieldsOf(() => ({ kind: feature.kind, isCounted: feature.counted }), feature),
  request: (values) => ({
    method: 'PATCH',
    path: pathOf`/api/v1/admin/projects/${feature.project_id}/features/${feature.feature_code}`,
    body: {
      name: givenText(values, 'name') ?? null,
      unit: givenText(values, 'unit') ?? null,
      thresholds: linesOf(values, 'thresholds').map(Number),
      stripe_meter: meterOf(values) ?? null,
    },
  }),
});
