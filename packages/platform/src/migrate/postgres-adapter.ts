import { randomUUID } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import { ColumnTypeEnum, DriverAdapterError, isDriverAdapterError } from '@prisma/driver-adapter-utils';
import type {
  ColumnType,
  SqlDriverAdapter,
  SqlMigrationAwareDriverAdapterFactory,
  SqlQuery,
  SqlResultSet,
} from '@prisma/driver-adapter-utils';
import { Client, Pool } from 'pg';
import type { ClientBase, QueryArrayConfig } from 'pg';
import { postgresConnection } from '../postgres-connection.ts';

const charOid = 18;
const textOid = 25;
/** The engine reads and writes timestamps without their zone, and names no schema. Scripts set their time-outs themselves. */
const sessionSettings =
  "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, MDY'; SET search_path = public; SET lock_timeout = 0";
const poolOptions = {
  connectionTimeoutMillis: 10_000,
  max: 4,
  onConnect: async (client: ClientBase) => {
    await client.query(sessionSettings);
  },
};

/** A connection that drops is reported by the query that needs it; the loss of an idle one is irrelevant. */
const quiet = { onPoolError: () => undefined, onConnectionError: () => undefined };

export type MigrationAdapter = {
  readonly factory: SqlMigrationAwareDriverAdapterFactory;
  /** Ends its connections: the engine leaves them open. */
  readonly close: () => Promise<void>;
};

/**
 * Each lock of a migration is awaited for so long: what waits for a lock on a table stops all later reads of that table.
 * A script of one statement that must not be in a transaction (`CREATE INDEX CONCURRENTLY`) waits without a limit: what it
 * waits with stops nobody, and giving up would leave half an index behind.
 */
const withLockTimeout = (script: string): string =>
  /\bCONCURRENTLY\b/i.test(withoutComments(script)) ? script : `SET LOCAL lock_timeout = '200ms';\n${script}`;

const withoutComments = (script: string): string => script.replaceAll(/--.*$/gm, '');

/**
 * `PrismaPg` adapted for migrations. Its own `executeScript` splits the script at every semicolon, also inside
 * functions and strings; here Postgres gets the whole script and runs it as one transaction. Its shadow database
 * can't be dropped while its own pool is connected to it; here it is dropped by force.
 */
export function migrationAdapter(databaseUrl: string): MigrationAdapter {
  const pool = new Pool({ ...postgresConnection(databaseUrl), ...poolOptions });
  return {
    factory: {
      provider: 'postgres',
      adapterName: '@prisma/adapter-pg',
      connect: () => connect(pool),
      connectToShadowDb: () => connectToShadowDatabase(databaseUrl),
    },
    close: () => pool.end(),
  };
}

async function connect(pool: Pool): Promise<SqlDriverAdapter> {
  const reading = readingCharColumns(pool);
  const adapter = await new PrismaPg(reading.pool, quiet).connect();
  const queryRaw = adapter.queryRaw.bind(adapter);
  return Object.assign(adapter, {
    queryRaw: async (query: SqlQuery) => {
      const result = await queryRaw(query);
      return { ...result, columnTypes: reading.typesOf(result) };
    },
    executeScript: async (script: string) => {
      await adapter
        .executeRaw({ sql: withLockTimeout(script), args: [], argTypes: [] })
        .catch((error: unknown) => Promise.reject(withCode(error)));
    },
  });
}

/** The engine hands on, and records, only the message, which is in the language of the server. */
function withCode(error: unknown): unknown {
  if (!isDriverAdapterError(error) || error.cause.originalCode === undefined) return error;
  const { originalCode: code, originalMessage = '' } = error.cause;
  const nothing = { detail: undefined, column: undefined, hint: undefined };
  const message = `${originalMessage} (${sqlState(code)})`;
  return new DriverAdapterError({ kind: 'postgres', code, severity: 'ERROR', message, ...nothing });
}

/** How the code of an error of Postgres stands in what the engine records. */
export const sqlState = (code: string): string => `SQLSTATE ${code}`;

/**
 * PrismaPg refuses Postgres's internal one-byte type "char", which the engine meets when it reads a catalog.
 * PrismaPg is shown text instead, and the type is restored in its result.
 */
function readingCharColumns(pool: Pool): { pool: Pool; typesOf: (result: SqlResultSet) => ColumnType[] } {
  const charColumns = new WeakMap<object, boolean[]>();
  async function query(config: QueryArrayConfig, values?: unknown[]): Promise<unknown> {
    const result = await pool.query(config, values);
    // A script of several statements has no single result.
    const fields = result.fields ?? [];
    if (fields.some(({ dataTypeID }) => dataTypeID === charOid)) {
      charColumns.set(
        result.rows,
        fields.map(({ dataTypeID }) => dataTypeID === charOid),
      );
      for (const field of fields) if (field.dataTypeID === charOid) field.dataTypeID = textOid;
    }
    return result;
  }
  const proxy = new Proxy(pool, {
    get(target, property) {
      if (property === 'query') return query;
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const typesOf = ({ rows, columnTypes }: SqlResultSet): ColumnType[] =>
    columnTypes.map((type, index) => (charColumns.get(rows)?.[index] ? ColumnTypeEnum.Character : type));
  return { pool: proxy, typesOf };
}

async function connectToShadowDatabase(databaseUrl: string): Promise<SqlDriverAdapter> {
  const name = `prisma_migrate_shadow_db_${randomUUID()}`;
  await execute(databaseUrl, `CREATE DATABASE "${name}"`);
  const shadowUrl = new URL(databaseUrl);
  shadowUrl.pathname = `/${name}`;
  const pool = new Pool({ ...postgresConnection(shadowUrl.href), ...poolOptions });
  return Object.assign(await connect(pool), {
    dispose: async () => {
      await pool.end();
      await execute(databaseUrl, `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
    },
  });
}

async function execute(databaseUrl: string, sql: string): Promise<void> {
  const client = new Client({ ...postgresConnection(databaseUrl), connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
