import { z } from 'zod';

import { noSuch } from '../errors.ts';

export type Row = { id: string };

/** A field that is absent or undefined keeps its value. */
export type Patch<T> = { [Field in keyof T]?: T[Field] | undefined };

/** Rows are immutable: a change replaces the row, so an event keeps the row it was made with as its snapshot. */
export type Table<T extends Row> = {
  readonly name: string;
  get(id: string): T | undefined;
  /** Throws Stripe's `resource_missing`; `param` names the parameter that refers to the object, `id` the path. */
  require(id: string, param?: string): T;
  insert(row: T): T;
  update(row: T, patch: Patch<T>): T;
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
  /** Inserts a row from the journal. */
  load(saved: object): void;
};

/** A row of a table was put (null: removed); `undo` takes that back. */
export type OnChange = (table: string, id: string, row: object | null, undo: () => void) => void;

/** Cheap on purpose: it runs for every row of the journal, which only this program writes. */
export function isRow(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string';
}

type TableOptions<T> = {
  name: string;
  /** What Stripe's errors call a row. */
  noun?: string | undefined;
  /** A value that never changes during a row's life, e.g. the invoice of a payment. */
  indexOf?: ((row: T) => string) | undefined;
};

export function createTable<T extends Row>(
  onChange: OnChange,
  { name, noun = name, indexOf }: TableOptions<T>,
): Table<T> {
  const index = new Map<string, Set<string>>();
  const rows = new Map<string, T>();
  const own = z.custom<T>(isRow);
  function set(row: T): void {
    rows.set(row.id, row);
    const key = indexOf?.(row);
    if (key !== undefined) index.set(key, (index.get(key) ?? new Set()).add(row.id));
  }
  function drop(row: T): void {
    rows.delete(row.id);
    const key = indexOf?.(row);
    if (key !== undefined) index.get(key)?.delete(row.id);
  }
  function put(row: T): T {
    const before = rows.get(row.id);
    set(row);
    onChange(name, row.id, row, () => (before === undefined ? drop(row) : set(before)));
    return row;
  }
  return {
    name,
    get: (id) => rows.get(id),
    require: (id, param) => {
      const row = rows.get(id);
      if (row === undefined) throw noSuch(noun, id, param);
      return row;
    },
    insert: put,
    update: (row, patch) => {
      const given = Object.entries<unknown>(patch).filter(([, value]) => value !== undefined);
      return put(own.parse({ ...(rows.get(row.id) ?? row), ...Object.fromEntries(given) }));
    },
    remove: (id) => {
      const before = rows.get(id);
      if (before === undefined) return;
      drop(before);
      onChange(name, id, null, () => set(before));
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
