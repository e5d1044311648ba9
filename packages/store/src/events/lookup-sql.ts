/** What a read names; its statement has no parts for anything else. */
export type StateShape = {
  /** No more than one of each: the statement takes values, which cost Postgres much less than lists. */
  isLone: boolean;
  hasSubscriptions: boolean;
  hasPurchases: boolean;
  hasRelated: boolean;
};

/** The keys by which rows are looked up: a query of one column. */
export type Keys = string;

export type Lookup = { table: string; columns: string; by: string };

/** A query's one column as a list of keys. Through an array, as the planner cannot see how long it is: one plan serves every batch. */
export const keysFrom = (keys: Keys): string => `unnest(ARRAY(${keys})) asked (key)`;

/**
 * Rows of a table by their keys, one key after the other. `OFFSET 0` keeps the planner from making a join or a list of it:
 * planned while the table is small, those read the whole table, and a connection keeps its plans while the table grows.
 */
export const lookup = ({ table, columns, by }: Lookup, from: string): string => `
      SELECT found.* FROM ${from}
        CROSS JOIN LATERAL (SELECT ${columns} FROM public.${table} WHERE ${by} = asked.key OFFSET 0) found`;

/** The same by two columns, for each pair of keys. */
export const lookupPairs = (
  { table, columns, by: [first, second] }: Omit<Lookup, 'by'> & { by: [string, string] },
  [firstKeys, secondKeys]: [Keys, Keys],
): string => `
      SELECT found.* FROM ${keysFrom(firstKeys)} CROSS JOIN ${keysFrom(secondKeys).replace('asked', 'other')}
        CROSS JOIN LATERAL (SELECT ${columns} FROM public.${table}
          WHERE ${first} = asked.key AND ${second} = other.key OFFSET 0) found`;

export const union = (...keys: (Keys | false)[]): Keys => keys.filter((one) => one !== false).join(' UNION ');

/** How the statement gets its keys: each name stands for one value, or for a list. */
export function givenBy({ isLone }: StateShape) {
  return {
    given: (name: string): Keys => (isLone ? `SELECT $${name}::text` : `SELECT unnest($${name}::text[])`),
    /** Rows by keys that are given. */
    rows: (table: Lookup, name: string): string =>
      isLone
        ? `SELECT ${table.columns} FROM public.${table.table} WHERE ${table.by} = $${name}::text`
        : lookup(table, keysFrom(`SELECT unnest($${name}::text[])`)),
    /** Rows by keys that a query finds; few of them need no array. */
    found: (table: Lookup, keys: Keys): string =>
      lookup(table, isLone ? `(${keys}) asked (key)` : keysFrom(keys)),
  };
}
