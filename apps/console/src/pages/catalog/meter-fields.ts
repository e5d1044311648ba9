import type { FeatureOut } from '@billing/domain';
import { givenText, textOf } from '../../parts/values.ts';
import type { Field, Values } from '../../parts/values.ts';

type MeterOptions = {
  description: string;
  /** What is stored. Absent: nothing, or the row of a form has it. */
  before?: FeatureOut['stripe_meter'] | undefined;
  isShown?: (values: Values) => boolean;
};

/** The meter of Stripe that is told of usage, and what of it. */
export const meterFields = ({ description, before, isShown = () => true }: MeterOptions): Field[] => [
  {
    kind: 'text',
    name: 'meter',
    label: 'Meter of Stripe',
    path: 'stripe_meter',
    description,
    initial: before?.event_name ?? '',
    isShown,
  },
  {
    kind: 'select',
    name: 'report',
    label: 'What the meter is told',
    options: [
      { value: 'all', label: 'All usage' },
      { value: 'overage', label: 'The overage only' },
    ],
    initial: before?.report ?? 'all',
    isShown: (values) => isShown(values) && textOf(values, 'meter') !== '',
  },
];

/** As the API has it; undefined: none is named. */
export function meterOf(values: Values): object | undefined {
  const name = givenText(values, 'meter');
  return name === undefined ? undefined : { event_name: name, report: textOf(values, 'report') || 'all' };
}
