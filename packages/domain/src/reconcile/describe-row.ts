import { toTimestamp } from '../time.ts';

/** How the row came to be, not what it says: nobody's access depends on it. */
const bookkeeping: ReadonlySet<string> = new Set([
  'rowVersion',
  'recheckAt',
  'recheckAttempts',
  'snapshotAt',
  'snapshotEventId',
  'otherStatusSeenAt',
  'pastDueSeenAt',
  'latestInvoiceCreatedAt',
  'claimsAt',
  'record',
  'isInvoiceless',
]);

const isMoment = (key: string): boolean => /(At|Start|End|Since)$/.test(key);

const snakeCase = (key: string): string => key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Items have an id of their own or are named by their price: they are compared by it, not by position. */
function nameOf(entry: unknown): string | null {
  if (typeof entry !== 'object' || entry === null) return null;
  if ('itemId' in entry && typeof entry.itemId === 'string') return entry.itemId;
  if ('stripePriceId' in entry && typeof entry.stripePriceId === 'string') return entry.stripePriceId;
  return null;
}

function describeList(entries: readonly unknown[]): unknown {
  const names = entries.map(nameOf);
  if (entries.length === 0 || names.includes(null)) return entries.map((entry) => describe(entry));
  return Object.fromEntries(entries.map((entry, index) => [String(names[index]), describe(entry)]));
}

function describe(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return describeList(value);
  if (typeof value === 'number' && isMoment(key)) return toTimestamp(value);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([field]) => !bookkeeping.has(field))
      .map(([field, inner]) => [snakeCase(field), describe(inner, field)]),
  );
}

type Whose = { projectId: string; userId: string } | null;

/** What a stored subscription or purchase says, as plain JSON for people: wire names, timestamps, its owner. */
export function describeRow(row: object, owner: Whose): Record<string, unknown> {
  const described = describe(row);
  const fields = typeof described === 'object' && described !== null ? { ...described } : {};
  // No list: with and without entries they would be compared as list and as map.
  if ('items' in fields && Array.isArray(fields.items)) fields.items = {};
  return { ...fields, project_id: owner?.projectId ?? null, user_id: owner?.userId ?? null };
}
