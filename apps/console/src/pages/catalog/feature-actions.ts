import type { FeatureOut } from '@billing/domain';
import { pathOf } from '../../api/address.ts';
import type { Action } from '../../parts/action-type.ts';
import { givenText, isOn, linesOf, textOf } from '../../parts/fields.tsx';
import type { Field, Values } from '../../parts/fields.tsx';

const kinds = [
  { value: 'boolean', label: 'On or off' },
  { value: 'limit', label: 'A limit, such as seats' },
  { value: 'metered', label: 'Metered, such as calls' },
];

const fieldsOf = (feature?: FeatureOut): Field[] => [
  { kind: 'text', name: 'name', label: 'Name', initial: feature?.name ?? '' },
  {
    kind: 'text',
    name: 'unit',
    label: 'Unit',
    description: 'What is counted, for people: call, seat.',
    initial: feature?.unit ?? '',
  },
  {
    kind: 'area',
    name: 'thresholds',
    label: 'Thresholds',
    description: 'Whole percents, one a line: when usage reaches one, the product is told.',
    initial: feature?.thresholds.join('\n') ?? '',
  },
  {
    kind: 'text',
    name: 'meter',
    label: 'Meter of Stripe',
    description: 'Metered features only: the name of the meter’s events. Empty: none.',
    initial: feature?.stripe_meter?.event_name ?? '',
  },
  {
    kind: 'select',
    name: 'report',
    label: 'What the meter is told',
    options: [
      { value: 'all', label: 'All usage' },
      { value: 'overage', label: 'The overage only' },
    ],
    initial: feature?.stripe_meter?.report ?? 'all',
  },
];

const meterOf = (values: Values): object | undefined => {
  const name = givenText(values, 'meter');
  return name === undefined ? undefined : { event_name: name, report: textOf(values, 'report') || 'all' };
};

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
      description: 'Limits only: usage raises and lowers a level.',
    },
    ...fieldsOf(),
  ],
  request: (values) => ({
    method: 'POST',
    path: pathOf`/api/v1/admin/projects/${projectId}/features`,
    body: {
      feature_code: textOf(values, 'feature_code'),
      kind: textOf(values, 'kind'),
      counted: isOn(values, 'counted'),
      name: givenText(values, 'name'),
      unit: givenText(values, 'unit'),
      thresholds: linesOf(values, 'thresholds').map(Number),
      stripe_meter: meterOf(values),
    },
  }),
});

export const changeFeature = (feature: FeatureOut): Action => ({
  label: 'Change',
  title: `Change ${feature.feature_code}`,
  words: 'What people call it, when products are told, and which meter of Stripe hears of it.',
  least: 'admin',
  isTried: true,
  fields: fieldsOf(feature),
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
