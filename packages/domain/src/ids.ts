import { z } from 'zod';

const MAX_ID_CHARACTERS = 256;
/** Control characters, lone surrogates (no well-formed Unicode) and the replacement character. */
const FORBIDDEN = /[\p{Cc}\p{Cs}\uFFFD]/u;
const OUTER_SPACE = /^\s|\s$/u;
/** The same rules in the words of JSON Schema, for API descriptions: no `\p{…}`, no looking around. */
const CONTROLS = String.raw`\u0000-\u001f\u007f-\u009f\ufffd`;
const ID_PATTERN = `^[^\\s${CONTROLS}](?:[^${CONTROLS}]*[^\\s${CONTROLS}])?$`;
const TEXT_CONTROLS = String.raw`\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffd`;
const TEXT_PATTERN = `^[^${TEXT_CONTROLS}]*[^\\s${TEXT_CONTROLS}][^${TEXT_CONTROLS}]*$`;

/** Why `value` is no identifier, or null if it is one. Characters are Unicode code points. */
export function idProblem(value: string): string | null {
  if (value.length === 0) return 'must not be empty';
  if (value.length > MAX_ID_CHARACTERS && Array.from(value).length > MAX_ID_CHARACTERS)
    return `must have at most ${MAX_ID_CHARACTERS} characters`;
  if (FORBIDDEN.test(value)) return 'must be well-formed Unicode without control characters or U+FFFD';
  if (OUTER_SPACE.test(value)) return 'must not begin or end with white space';
  return null;
}

export const isId = (value: unknown): value is string =>
  typeof value === 'string' && idProblem(value) === null;

/**
 * The one validator of identifiers, at every door. Ids are never normalised and are compared as bytes,
 * so two different ids never become one.
 */
export const id = z
  .string()
  .superRefine((value, context) => {
    const problem = idProblem(value);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  })
  .meta({
    description:
      'An identifier: 1 to 256 characters of well-formed Unicode, no control characters, no outer white space; compared as bytes.',
    minLength: 1,
    maxLength: MAX_ID_CHARACTERS,
    pattern: ID_PATTERN,
  });

/** Text for people (names, reasons): 1 to 1000 characters, no control characters but line breaks and tabs. */
export const text = z
  .string()
  .trim()
  .min(1)
  .max(1000)
  .refine((value) => !/[\p{Cs}\uFFFD]|(?![\n\r\t])\p{Cc}/u.test(value), {
    message: 'must be well-formed Unicode without control characters',
  })
  .meta({
    description: 'Text for people, without control characters but line breaks and tabs.',
    pattern: TEXT_PATTERN,
  });
