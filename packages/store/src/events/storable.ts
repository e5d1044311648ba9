const unstorableText = /[\0\p{Cs}]/u;

function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return !unstorableText.test(value);
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isStorable);
  return Object.entries(value).every(([key, inner]) => !unstorableText.test(key) && isStorable(inner));
}

function replaceUnstorable(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll(/[\0\p{Cs}]/gu, '\uFFFD');
  if (Array.isArray(value)) return value.map(replaceUnstorable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [String(replaceUnstorable(key)), replaceUnstorable(inner)]),
  );
}

/** NUL and lone surrogates are no text for Postgres; anything else is kept as it came. */
export const storable = (value: unknown): unknown => (isStorable(value) ? value : replaceUnstorable(value));
