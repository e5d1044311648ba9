import { z } from 'zod';

export interface Row {
  id: string;
}

/**
 * Rows are immutable: a change replaces the row. So an event may keep the row it was made with as its snapshot,
 * and nothing needs copying.
 */
export interface Table<T extends Row> {
  readonly name: string;
  get(id: string): T | undefined;
  insert(row: T): T;
  update(row: T, patch: Partial<T>): T;
  remove(id: string): void;
  /** Oldest first, as inserted. */
  all(): T[];
  /** The same without a copy, for a loop that may stop early. */
  each(): Iterable<T>;
  /** The rows with this value of the table's index, oldest first; none where the table has no index. */
  by(key: string): T[];
  /** Newest first, as Stripe lists. */
  newestFirst(): T[];
  size(): number;
  /** Takes back a row that this table wrote to the journal itself. */
  load(saved: object): void;
}

export type OnChange = (table: string, id: string, row: object | null) => void;

/** Cheap on purpose: it runs for every row of the journal, which only this program writes. */
export function isRow(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string';
}

/** `indexOf` names a value that never changes during a row's life, e.g. the invoice of a payment. */
export function createTable<T extends Row>(
  name: string,
  onChange: OnChange,
  indexOf?: (row: T) => string,
): Table<T> {
  const index = new Map<string, Set<string>>();
  const rows = new Map<string, T>();
  const own = z.custom<T>(isRow);
  function put(row: T): T {
    rows.set(row.id, row);
    const key = indexOf?.(row);
    if (key !== undefined) index.set(key, (index.get(key) ?? new Set()).add(row.id));
    onChange(name, row.id, row);
    return row;
  }
  return {
    name,
    get: (id) => rows.get(id),
    insert: put,
    update: (row, patch) => put({ ...(rows.get(row.id) ?? row), ...patch }),
    remove: (id) => {
      rows.delete(id);
      onChange(name, id, null);
    },
    all: () => [...rows.values()],
    each: () => rows.values(),
    by: (key) => [...(index.get(key) ?? [])].flatMap((id) => rows.get(id) ?? []),
    newestFirst: () => [...rows.values()].reverse(),
    size: () => rows.size,
    load: (saved) => {
      put(own.parse(saved));
    },
  };
}
