export type QueryValue = string | number | boolean | undefined;
export type Query = Readonly<Record<string, QueryValue>>;

/** A path whose parts are ids, which may hold any character. */
export const pathOf = (strings: TemplateStringsArray, ...ids: readonly string[]): string =>
  strings.map((text, index) => text + encodeURIComponent(ids[index] ?? '')).join('');

/** The path with what is given of the query; empty values are left out. */
export function addressOf(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const texts = given.map(([name, value]): [string, string] => [name, String(value)]);
  const text = new URLSearchParams(texts).toString();
  return text === '' ? path : `${path}?${text}`;
}
