import { valueWords } from '../src/words/value.ts';

test.each([
  [null, '–'],
  ['premium', 'premium'],
  [false, 'false'],
  [[], 'none'],
  [['premium', 'export'], 'premium, export'],
  [
    { seats: { limit: 5, per_unit: false }, calls: { allowance: null } },
    'seats: (limit 5, per_unit false)\ncalls: (allowance null)',
  ],
])('%j is shown as %j', (value, words) => {
  expect(valueWords(value)).toBe(words);
});
