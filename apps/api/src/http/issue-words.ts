import type { z } from 'zod';

type RawIssue = Parameters<z.core.$ZodErrorMap>[0];

/** What JSON calls it. */
const kinds: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'an array',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

/** Of values that a body may hold; null for numbers that a query does not write as such. */
function kindOf(value: unknown): string | null {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'boolean') return 'a boolean';
  return Number.isNaN(value) ? null : (kinds[typeof value] ?? null);
}

const formats: Record<string, string> = {
  datetime: 'a time such as 2026-11-22T10:00:00Z',
  date: 'a day such as 2026-11-22',
  email: 'an e-mail address',
  url: 'a URL',
};

const units: Record<string, string> = { string: ' characters', array: ' entries', set: ' entries' };

/** A bound in words; `what` of them there must be. */
function boundOf(what: 'least' | 'most', origin: string, bound: number | bigint): string {
  const unit = units[origin];
  if (unit === undefined) return `must be at ${what} ${bound}`;
  if (what === 'least' && bound === 1) return 'must not be empty';
  return `must have at ${what} ${bound}${unit}`;
}

function typeWords(expected: string, value: unknown): string {
  const kind = kinds[expected] ?? expected;
  const is = expected === 'int' && typeof value === 'number' ? null : kindOf(value);
  return is === null ? `must be ${kind}` : `must be ${kind}, not ${is}`;
}

const optionWords = (values: readonly unknown[]): string =>
  values.length === 1 ? `must be ${String(values[0])}` : `must be one of ${values.map(String).join(', ')}`;

/** What is wrong with a field, for whoever sent it. Where a schema says it itself, or nothing better is known, that stays. */
export function issueWords(issue: RawIssue): string | undefined {
  const isMissing = issue.input === undefined;
  switch (issue.code) {
    case 'invalid_type':
      return isMissing ? 'is missing' : typeWords(issue.expected, issue.input);
    case 'invalid_value':
      return `${isMissing ? 'is missing: ' : ''}${optionWords(issue.values)}`;
    case 'too_small':
      return issue.inclusive === false ? undefined : boundOf('least', issue.origin, issue.minimum);
    case 'too_big':
      return issue.inclusive === false ? undefined : boundOf('most', issue.origin, issue.maximum);
    case 'invalid_format':
      return formats[issue.format] === undefined ? undefined : `must be ${formats[issue.format]}`;
    case 'invalid_union':
      return isMissing ? 'is missing' : 'has none of the forms that are described';
    case 'custom':
    case 'invalid_element':
    case 'invalid_key':
    case 'not_multiple_of':
    case 'unrecognized_keys':
      return undefined;
  }
}
