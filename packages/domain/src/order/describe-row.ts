import type { FieldChange } from '../contracts/admin/runs.ts';
import { isRecord } from '../stripe/fields.ts';
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
  'pastDueReadSince',
  'pastDueReadAt',
  'latestInvoiceCreatedAt',
  'claimsAt',
  'projectClaimedAt',
  'userSource',
  'record',
  'isInvoiceless',
  // Whoever has the address sees the invoice.
  'invoiceUrl',
]);

const isMoment = (key: string): boolean => /(At|Start|End|Since|Date)$|^end$/.test(key);

const snakeCase = (key: string): string => key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Discounts, items and changes are compared by their id, price or moment, not by position. */
function nameOf(entry: unknown): string | null {
  if (!isRecord(entry)) return null;
  const { discountId, itemId, stripePriceId, effectiveAt } = entry;
  if (typeof effectiveAt === 'number') return toTimestamp(effectiveAt);
  const name = discountId ?? itemId ?? stripePriceId;
  return typeof name === 'string' ? name : null;
}

function describeList(entries: readonly unknown[]): unknown {
  const names = entries.map(nameOf);
  if (entries.length === 0 || names.includes(null)) return entries.map((entry) => describe(entry));
  return Object.fromEntries(entries.map((entry, index) => [String(names[index]), describe(entry)]));
}

function describe(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return describeList(value);
  if (typeof value === 'number' && isMoment(key)) return toTimestamp(value);
  return isRecord(value) ? describeFields(value) : value;
}

const describeFields = (row: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(row)
      .filter(([field]) => !bookkeeping.has(field))
      .map(([field, value]) => [snakeCase(field), describe(value, field)]),
  );

/** A stored subscription or purchase as plain JSON for operators: snake_case names, timestamps, its owner. */
export function describeRow(
  row: object,
  owner: { projectId: string; userId: string } | null,
): Record<string, unknown> {
  const fields = describeFields(row);
  // An empty list becomes an empty map, as lists of items do: `differences` then names each item.
  if (Array.isArray(fields['items'])) fields['items'] = {};
  return { ...fields, project_id: owner?.projectId ?? null, user_id: owner?.userId ?? null };
}

/** The leaves in which two plain JSON values differ, by path. Lists are compared as a whole. */
export function differences(before: unknown, after: unknown, path = ''): FieldChange[] {
  if (isRecord(before) && isRecord(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return keys.flatMap((key) => differences(before[key], after[key], path === '' ? key : `${path}.${key}`));
  }
  if (JSON.stringify(before ?? null) === JSON.stringify(after ?? null)) return [];
  return [{ path, before: before ?? null, after: after ?? null }];
}
