import { isOn, textOf } from '../../parts/values.ts';
import type { Field, Values } from '../../parts/values.ts';
import { meterFields } from './meter-fields.ts';

/** Shown where another field has one of these values. */
const is = (name: string, ...wanted: string[]) => ({
  isShown: (row: Values): boolean => wanted.includes(textOf(row, name)),
});
const counts = { isShown: (row: Values): boolean => !isOn(row, 'is_unlimited') };

const unlimited: Field = { kind: 'switch', name: 'is_unlimited', label: 'Unlimited' };
const perUnit: Field = {
  kind: 'switch',
  name: 'per_unit',
  label: 'For each piece',
  description: 'Times the quantity that was bought.',
};

/** How much of a limit a product gives. */
export const limitFields: readonly Field[] = [
  { kind: 'number', name: 'limit', label: 'Limit', description: 'How many at once.', ...counts },
  unlimited,
  perUnit,
  {
    kind: 'switch',
    name: 'add_on',
    label: 'Add-on',
    description: 'Is added to the greatest limit of the user’s other products.',
  },
  {
    kind: 'json',
    name: 'value',
    label: 'Also handed out',
    description: 'Any JSON that the backend reads as it is. Empty: nothing.',
  },
];

const periods: Field = {
  kind: 'select',
  name: 'period',
  label: 'Granted anew',
  initial: 'billing',
  options: [
    { value: 'billing', label: 'With each paid period' },
    { value: 'day', label: 'Every day' },
    { value: 'week', label: 'Every week' },
    { value: 'month', label: 'Every month' },
    { value: 'year', label: 'Every year' },
    { value: 'once', label: 'Never: once' },
  ],
};

/** How much of a metered feature a product gives, and how often anew. */
export const meteredFields: readonly Field[] = [
  { kind: 'number', name: 'allowance', label: 'Allowance', ...counts },
  unlimited,
  perUnit,
  periods,
  {
    kind: 'select',
    name: 'anchor',
    label: 'Periods begin',
    initial: 'source',
    options: [
      { value: 'source', label: 'When it was bought' },
      { value: 'calendar', label: 'With the calendar' },
    ],
    ...is('period', 'day', 'week', 'month', 'year'),
  },
  {
    kind: 'select',
    name: 'in_trial',
    label: 'In a trial',
    initial: 'same',
    options: [
      { value: 'same', label: 'The same' },
      { value: 'other', label: 'Another allowance' },
      { value: 'unlimited', label: 'Unlimited' },
    ],
  },
  { kind: 'number', name: 'trial_allowance', label: 'Allowance in a trial', ...is('in_trial', 'other') },
  {
    kind: 'select',
    name: 'overage',
    label: 'More than that',
    initial: 'deny',
    options: [
      { value: 'deny', label: 'Is refused' },
      { value: 'allow', label: 'Is allowed' },
    ],
  },
  {
    kind: 'number',
    name: 'overage_limit',
    label: 'How much more',
    description: 'Empty: no limit.',
    ...is('overage', 'allow'),
  },
  {
    kind: 'number',
    name: 'rollover_periods',
    label: 'What is left is kept for',
    path: 'rollover.periods',
    description: 'So many further periods. Empty: it is lost.',
    ...is('period', 'billing', 'day', 'week', 'month', 'year'),
  },
  {
    kind: 'number',
    name: 'rollover_max',
    label: 'At most kept',
    path: 'rollover.max',
    description: 'Empty: all.',
    isShown: (row) => textOf(row, 'rollover_periods') !== '' && textOf(row, 'period') !== 'once',
  },
  ...meterFields({ description: 'In place of the feature’s. Empty: the feature’s.' }),
];
