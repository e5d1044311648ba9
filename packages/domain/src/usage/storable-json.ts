import { z } from 'zod';

/** What JSON can say. */
export type StorableJson = z.output<ReturnType<typeof z.json>>;

const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

/** Postgres can keep no NUL and no lone surrogate, also in names of fields. */
const isStorable = (text: string): boolean => !/\0|\p{Cs}/u.test(text);

function hasOnlyStorableText(value: StorableJson): boolean {
  if (typeof value === 'string') return isStorable(value);
  if (value === null || typeof value !== 'object') return true;
  if (Array.isArray(value)) return value.every(hasOnlyStorableText);
  return Object.entries(value).every(([name, one]) => isStorable(name) && hasOnlyStorableText(one));
}

const maxDepth = 20;

/** Looks no deeper than that: a body of brackets only must not exhaust the stack. */
const isShallow = (value: unknown, levels = maxDepth): boolean =>
  value === null ||
  typeof value !== 'object' ||
  (levels > 0 && Object.values(value).every((one) => isShallow(one, levels - 1)));

/** What the document says of it; that key is refused in every body. */
export const storableRule = `at most ${maxDepth} levels deep, of well-formed Unicode without NUL, without the key __proto__`;

/** Any JSON of at most so many bytes (of its UTF-8 text), of which Postgres can keep every string. */
export const storableJson = (maxBytes: number) =>
  z
    .unknown()
    .refine((value) => isShallow(value), { message: `must be at most ${maxDepth} levels deep`, abort: true })
    .pipe(z.json())
    .refine((value) => bytesOf(JSON.stringify(value)) <= maxBytes, {
      message: `must have at most ${maxBytes} bytes as JSON`,
    })
    .refine(hasOnlyStorableText, { message: 'must be well-formed Unicode without NUL' });

/** The same text for equal values of JSON, whatever the order of their fields. A field that is undefined is none. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const entries: [string, unknown][] = Object.entries(value);
  const fields = entries
    .filter(([, one]) => one !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, one]) => `${JSON.stringify(name)}:${canonicalJson(one)}`);
  return `{${fields.join()}}`;
}
