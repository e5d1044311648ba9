import { z } from 'zod';

const maxIdCharacters = 256;
/** Control characters, lone surrogates (not well-formed Unicode) and the replacement character. */
const forbidden = /[\p{Cc}\p{Cs}\uFFFD]/u;
const outerSpace = /^\s|\s$/u;
/** The same rules for JSON Schema in API descriptions, whose patterns have neither `\p{…}` nor lookaround. */
const controls = String.raw`\u0000-\u001F\u007F-\u009F\uFFFD`;
const idPattern = `^[^\\s${controls}](?:[^${controls}]*[^\\s${controls}])?$`;
const textControls = String.raw`\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\uFFFD`;
const textPattern = `^[^${textControls}]*[^\\s${textControls}][^${textControls}]*$`;

/** Whether a text has at most so many characters: Unicode code points, as JSON Schema counts them. */
export const hasAtMost =
  (characters: number) =>
  (value: string): boolean =>
    value.length <= characters || Array.from(value).length <= characters;

/** Why `value` is not an identifier; null: it is one. Characters are Unicode code points. */
export function idProblem(value: string): string | null {
  if (value.length === 0) return 'must not be empty';
  if (!hasAtMost(maxIdCharacters)(value)) return `must have at most ${maxIdCharacters} characters`;
  if (forbidden.test(value)) return 'must be well-formed Unicode without control characters or U+FFFD';
  if (outerSpace.test(value)) return 'must not begin or end with white space';
  return null;
}

export const isId = (value: unknown): value is string =>
  typeof value === 'string' && idProblem(value) === null;

/**
 * The validator of every identifier that enters the service. Ids are never normalised and are compared as
 * bytes, so that two different ids never become one (invariants, "Tenancy and security").
 */
export const id = z
  .string()
  .superRefine((value, context) => {
    const problem = idProblem(value);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  })
  .meta({
    description:
      'An identifier: 1 to 256 characters of well-formed Unicode, without control characters and without leading or trailing white space; compared as bytes.',
    minLength: 1,
    maxLength: maxIdCharacters,
    pattern: idPattern,
  });

/** What Stripe and Postgres store: well-formed Unicode, control characters only as line breaks and tabs. */
export const isPlainText = (value: string): boolean => !/[\p{Cs}\uFFFD]|(?![\n\r\t])\p{Cc}/u.test(value);

/** Text for people, such as a reason: 1 to 1000 characters after trimming. */
export const text = z
  .string()
  .trim()
  .min(1)
  .refine(hasAtMost(1000), { message: 'must have at most 1000 characters' })
  .refine(isPlainText, { message: 'must be well-formed Unicode without control characters' })
  .meta({
    description:
      'Text for people: well-formed Unicode, without control characters other than line breaks and tabs.',
    maxLength: 1000,
    pattern: textPattern,
  });

/** The name of a project, product or key: `text` of at most 256 characters. */
export const displayName = text
  .refine(hasAtMost(256), { message: 'must have at most 256 characters' })
  .meta({ maxLength: 256 });

/** As W3C Trace Context writes it. */
export const traceId = z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 lower-case hexadecimal digits');
