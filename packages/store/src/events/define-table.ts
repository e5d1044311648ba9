/** The SQL types of columns. `?` marks a column that may be null, as it does in `schema.prisma`. */
type SqlType = 'text' | 'bigint' | 'integer' | 'boolean' | 'jsonb' | 'timestamptz' | 'timestamptz[]';

/** The name and type of the column that holds a `Value`; the compiler checks that both may be null, or neither. */
type Column<Value> = readonly [
  name: string,
  type: unknown extends Value ? SqlType : null extends Value ? `${SqlType}?` : SqlType,
];

/** The columns by the field that each holds; a field that is an object of texts has a column for each of them. */
export type Columns<Row> = {
  readonly [Field in keyof Row]: Row[Field] extends Readonly<Record<string, string | null>>
    ? Columns<Row[Field]>
    : Column<Row[Field]>;
};

type FieldOf<Row> = Extract<keyof Row, string>;

export type TableDefinition<Row, Link, Sent> = {
  name: string;
  primaryKey: readonly (FieldOf<Row> | FieldOf<Link>)[];
  /** Columns that stay as they were first written; the primary key is one of them anyway. */
  writtenOnce?: readonly FieldOf<Row>[];
  /** Columns that lead to other tables, and are no part of the row. */
  link: Columns<Link>;
  /** One line for every column of the row. */
  row: Columns<Row>;
  /** What is sent with a row for the statement alone to use. */
  sent: Columns<Sent>;
};

/** What statements are made of, from one definition. Instants are sent and read as milliseconds. */
export type TableSql = {
  name: string;
  /** Names of the primary key's columns. */
  primaryKey: readonly string[];
  /** All stored columns; `type` as it was defined. */
  columns: readonly { name: string; type: string }[];
  /** `column, …`: for `INSERT`. */
  insert: string;
  /** `column type, …`: what `json_to_recordset` makes of the rows of `toJson`. */
  recordset: string;
  /** `$table_column::type AS column, …`: the same of the values of one row, as a template. */
  oneRow: string;
  /** What is inserted, from either. */
  values: string;
  /** `column = excluded.column, …`: for `ON CONFLICT DO UPDATE`. */
  set: string;
  /** `column AS "field", …`: the stored row with the fields of the row. */
  select: string;
};

export type Table<Row, Link, Sent> = TableSql & {
  /** `'field', alias.column, …`: for `json_build_object`, of all fields of the row but some. */
  jsonFields: (alias: string, without: readonly FieldOf<Row>[]) => string;
  /** The JSON of a row. `others` go before the fields of `row`: a copy of it would cost more than the JSON. */
  toJson: (row: Row, others: Partial<Row> & Link & Sent) => string;
  /** Sets the values of `oneRow`. */
  setValues: (values: Record<string, unknown>, row: Row, others: Partial<Row> & Link & Sent) => void;
};

/** A type that is sent as another one: the column's value from what is sent, and back. */
type Conversion = { sentAs: string; write: (sent: string) => string; read: (column: string) => string };

const toInstant = (ms: string): string => `to_timestamp(${ms} / 1000)`;
/** In floating point, which is much faster than `extract`; the cast rounds, and a whole number reads the same whatever `extra_float_digits` is. */
const toMs = (instant: string): string => `(date_part('epoch', ${instant}) * 1000)::bigint`;
/** Nearly all lists are empty, and a subquery for each row is dear. */
const mapList = (list: string, convert: (element: string) => string): string =>
  `CASE WHEN ${list} = '{}' THEN '{}' ELSE ARRAY(SELECT ${convert('at')} FROM unnest(${list}) AS at ORDER BY at) END`;

const conversions: Partial<Record<string, Conversion>> = {
  timestamptz: { sentAs: 'float8', write: toInstant, read: toMs },
  'timestamptz[]': {
    sentAs: 'float8[]',
    write: (list) => mapList(list, toInstant),
    read: (list) => mapList(list, toMs),
  },
};

const unconverted = { write: (sent: string): string => sent, read: (column: string): string => column };

type Tuple = readonly [name: string, type: string];
type UntypedColumns = { readonly [field: string]: Tuple | UntypedColumns };
type Values = Readonly<Record<string, unknown>>;

type Leaf = Conversion & { name: string; type: string; field: string; group: string | null };

const isTuple = (one: Tuple | UntypedColumns): one is Tuple => Array.isArray(one);

function leafOf([name, type]: Tuple, field: string, group: string | null): Leaf {
  const sentAs = type.replace('?', '');
  return { name, type, field, group, ...(conversions[sentAs] ?? { ...unconverted, sentAs }) };
}

const leavesOf = (columns: UntypedColumns, group: string | null = null): Leaf[] =>
  Object.entries(columns).flatMap(([field, column]) =>
    isTuple(column) ? [leafOf(column, field, group)] : leavesOf(column, field),
  );

const selectOf = (columns: UntypedColumns): string =>
  Object.entries(columns)
    .map(([field, column]) => {
      if (isTuple(column)) return `${leafOf(column, field, null).read(column[0])} AS "${field}"`;
      const texts = leavesOf(column).map((one) => `'${one.field}', ${one.name}`);
      return `json_build_object(${texts.join(', ')}) AS "${field}"`;
    })
    .join(', ');

type UntypedDefinition = {
  name: string;
  primaryKey: readonly string[];
  writtenOnce?: readonly string[];
  link: UntypedColumns;
  row: UntypedColumns;
  sent: UntypedColumns;
};
type UntypedTable = TableSql & {
  jsonFields: (alias: string, without: readonly string[]) => string;
  toJson: (row: Values, others: Values) => string;
  setValues: (values: Record<string, unknown>, row: Values, others: Values) => void;
};

export function defineTable<Row, Link, Sent>(
  definition: TableDefinition<Row, Link, Sent>,
): Table<Row, Link, Sent>;
export function defineTable(definition: UntypedDefinition): UntypedTable {
  const { name, primaryKey, writtenOnce = [] } = definition;
  const columns = [...leavesOf(definition.link), ...leavesOf(definition.row)];
  const sent = [...columns, ...leavesOf(definition.sent)];
  const keys = sent.map(({ field, group, name: column, sentAs }) => ({
    field,
    group,
    key: `${JSON.stringify(column)}:`,
    parameter: `${name}_${column}`,
    isJson: sentAs === 'jsonb',
  }));
  const isFixed = ({ field }: Leaf): boolean => primaryKey.includes(field) || writtenOnce.includes(field);
  return {
    name,
    primaryKey: columns.filter(({ field }) => primaryKey.includes(field)).map((one) => one.name),
    columns,
    insert: columns.map((one) => one.name).join(', '),
    recordset: sent.map((one) => `${one.name} ${one.sentAs}`).join(', '),
    oneRow: sent.map((one) => `$${name}_${one.name}::${one.sentAs} AS ${one.name}`).join(', '),
    values: columns.map((one) => one.write(one.name)).join(', '),
    set: columns
      .filter((one) => !isFixed(one))
      .map((one) => `${one.name} = excluded.${one.name}`)
      .join(', '),
    select: selectOf(definition.row),
    jsonFields: (alias, without) =>
      Object.entries(definition.row)
        .flatMap(([field, column]) =>
          isTuple(column) && !without.includes(field)
            ? [`'${field}', ${leafOf(column, field, null).read(`${alias}.${column[0]}`)}`]
            : [],
        )
        .join(', '),
    toJson(row, others) {
      let json = '';
      for (const { field, group, key } of keys) {
        const value = valueOf(row, others, { field, group });
        // A column that is absent from the JSON reads null: most columns of most rows are.
        if (value !== null && value !== undefined) json += `${json === '' ? '{' : ','}${key}${toJson(value)}`;
      }
      return `${json}}`;
    },
    setValues(values, row, others) {
      for (const { field, group, parameter, isJson } of keys) {
        const value = valueOf(row, others, { field, group });
        values[parameter] = isJson && value !== null && value !== undefined ? JSON.stringify(value) : value;
      }
    },
  };
}

const valueOf = (row: Values, others: Values, { field, group }: Pick<Leaf, 'field' | 'group'>): unknown =>
  others[field] === undefined ? valueIn(row, field, group) : others[field];

function valueIn(row: Values, field: string, group: string | null): unknown {
  if (group === null) return row[field];
  const object = row[group];
  return isObject(object) ? object[field] : undefined;
}

const isObject = (value: unknown): value is Values => typeof value === 'object' && value !== null;

/** As `JSON.stringify`, which takes longer for what needs no escapes. */
const toJson = (value: unknown): string =>
  typeof value === 'number' || typeof value === 'boolean' ? String(value) : JSON.stringify(value);
