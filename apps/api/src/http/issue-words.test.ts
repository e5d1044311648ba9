import { timestamp } from '@billing/domain';
import { z } from 'zod';
import { issueWords } from './issue-words.ts';

const wordsOf = (schema: z.ZodType, value: unknown): string[] =>
  (schema.safeParse(value, { error: issueWords }).error?.issues ?? []).map(({ message }) => message);

test.each<[string, z.ZodType, unknown, string]>([
  ['a field that is missing', z.string(), undefined, 'is missing'],
  ['another type', z.string(), 5, 'must be a string, not a number'],
  ['a parameter given twice', z.string(), ['a', 'b'], 'must be a string, not an array'],
  ['null', z.object({}), null, 'must be an object, not null'],
  ['no number', z.coerce.number(), 'abc', 'must be a number'],
  ['half a number', z.int(), 1.5, 'must be a whole number'],
  ['a switch', z.boolean(), 'yes', 'must be true or false, not a string'],
  ['too few', z.array(z.string()).min(1), [], 'must not be empty'],
  ['too many', z.array(z.string()).max(1), ['a', 'b'], 'must have at most 1 entries'],
  ['too small', z.number().min(1), 0, 'must be at least 1'],
  ['too large', z.int().max(730), 731, 'must be at most 730'],
  ['too short', z.string().min(1), '', 'must not be empty'],
  ['another word', z.enum(['now', 'period_end']), 'soon', 'must be one of now, period_end'],
  ['no word', z.enum(['now', 'period_end']), undefined, 'is missing: must be one of now, period_end'],
  ['one word', z.literal('v1'), 'v2', 'must be v1'],
  ['no address', z.email(), 'no', 'must be an e-mail address'],
  ['no time', timestamp('When.'), 'yesterday', 'must be a time such as 2026-11-22T10:00:00Z'],
  ['no day', z.iso.date(), '2026-13-01', 'must be a day such as 2026-11-22'],
  [
    'no form of several',
    z.union([z.strictObject({ a: z.string() }), z.strictObject({ b: z.string() })]),
    { c: 1 },
    'has none of the forms that are described',
  ],
])('%s', (_what, schema, value, words) => {
  expect(wordsOf(schema, value)).toEqual([words]);
});

test("a schema's own words stay", () => {
  expect(wordsOf(z.string().min(2, { message: 'must have two letters' }), 'a')).toEqual([
    'must have two letters',
  ]);
});
