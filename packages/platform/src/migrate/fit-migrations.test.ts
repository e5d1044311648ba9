import { findMigrationProblem } from './fit-migrations.ts';

const missing = (name: string): string => `migration ${name} is missing: run npm run db:migrate`;
const incompatible = (name: string): string =>
  `migration ${name} is incompatible with this version: run the version that it came with`;

test.each<[string, string[], string[], string | null]>([
  ['all are there', ['1_a', '2_b'], ['1_a', '2_b'], null],
  ['none is there', ['1_a', '2_b'], [], missing('1_a')],
  ['the last is missing', ['1_a', '2_b'], ['1_a'], missing('2_b')],
  ['a newer version has added something', ['1_a'], ['1_a', '2_b'], null],
  [
    'a newer version has taken something away',
    ['1_a'],
    ['1_a', '2_incompatible'],
    incompatible('2_incompatible'),
  ],
  ['this version has taken something away', ['1_a', '2_incompatible'], ['1_a', '2_incompatible'], null],
  ['this version will take something away', ['1_a', '2_incompatible'], ['1_a'], missing('2_incompatible')],
])('%s', (_what, known, applied, expected) =>
  expect(findMigrationProblem({ known, applied })).toBe(expected),
);
