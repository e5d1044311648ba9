import type { StatedRow } from './stated-feature-rules.test-support.ts';

/** A body of usage. */
export const usage = (more: object) => ({ user_id: 'u', feature_code: 'f', event_id: 'e', ...more });

/** What is refused of usage although its schema takes it. */
export const usageRows = (the: (name: string) => string): StatedRow[] => [
  ['nothingUsed', 'recordUsage', 'quantity', () => ({ body: usage({ quantity: 0 }) })],
  [
    'nothingUsed',
    'adjustUsage',
    'quantity',
    () => ({
      body: { project_id: the('project_id'), user_id: 'u', feature_code: 'f', reason: 'r', quantity: 0 },
    }),
  ],
  ['correctionThatTakes', 'recordUsage', 'quantity', () => ({ body: usage({ corrects: 'e', quantity: 1 }) })],
];
