import type { FieldChange } from '../contracts/admin/runs.ts';
import { toTimestamp } from '../time.ts';

/** Fields that say how the row came about. No access depends on them. */
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

/** Items are compared by their id, or their price where they have none, not by position. */
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

/** A stored subscription or purchase as plain JSON for operators: snake_case names, timestamps, its owner. */
export function describeRow(
  row: object,
  owner: { projectId: string; userId: string } | null,
): Record<string, unknown> {
  const described = describe(row);
  const fields = typeof described === 'object' && described !== null ? { ...described } : {};
  // An empty list becomes an empty map, as lists of items do: `differences` then names each item.
  if ('items' in fields && Array.isArray(fields.items)) fields.items = {};
  return { ...fields, project_id: owner?.projectId ?? null, user_id: owner?.userId ?? null };
}

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The leaves in which two plain JSON values differ, by path. Lists are compared as a whole. */
export function differences(before: unknown, after: unknown, path = ''): FieldChange[] {
  if (isPlain(before) && isPlain(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return keys.flatMap((key) => differences(before[key], after[key], path === '' ? key : `${path}.${key}`));
  }
  if (JSON.stringify(before ?? null) === JSON.stringify(after ?? null)) return [];
  return [{ path, before: before ?? null, after: after ?? null }];
}
