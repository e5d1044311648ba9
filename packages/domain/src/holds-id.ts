import { isRecord } from './stripe/fields.ts';

const escapeForPattern = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);

/** Whether a text holds an id as a whole word, as it is or as a part of an address. */
export function holdsId(text: string, id: string): boolean {
  const forms = [id, encodeURIComponent(id)].map(escapeForPattern).join('|');
  return new RegExp(String.raw`(?<![\p{L}\p{N}_])(?:${forms})(?![\p{L}\p{N}_])`, 'u').test(text);
}

/** A copy of a JSON value in which a word stands in place of every string that holds the id, and of every such name. */
export function withoutId(value: unknown, id: string): unknown {
  if (typeof value === 'string') return holdsId(value, id) ? erasedWord : value;
  if (Array.isArray(value)) return value.map((entry) => withoutId(entry, id));
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [holdsId(key, id) ? erasedWord : key, withoutId(inner, id)]),
  );
}

const erasedWord = 'erased';

/** Whether any string of a JSON value is the id. */
export function hasStringEqual(value: unknown, id: string): boolean {
  if (typeof value === 'string') return value === id;
  if (Array.isArray(value)) return value.some((entry) => hasStringEqual(entry, id));
  return isRecord(value) && Object.values(value).some((entry) => hasStringEqual(entry, id));
}
