import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from './generated/client.ts';
import type { Prisma } from './generated/client.ts';
import { createJsonQuery } from './query-json.ts';
import type { QueryJson } from './query-json.ts';
import { createStatementNames } from './statement-names.ts';

export type Database = PrismaClient & { $queryJson: QueryJson };

/** The client inside `$transaction`, or the client itself: what a query needs. */
export type Queries = Prisma.TransactionClient;

export type DatabaseOptions = {
  url: string;
  poolSize: number;
  /** How long to wait for a free connection, and for a new one to open. */
  connectTimeoutMs: number;
  /** Longest single statement, enforced by Postgres and, where it no longer answers, by the client. */
  statementTimeoutMs: number;
  observe?: (operation: string, seconds: number) => void;
  /** Default true. False for PgBouncer in transaction mode before 1.21, or with `max_prepared_statements = 0`. */
  hasPreparedStatements?: boolean;
};

/**
 * The Prisma client of a process. Without `connectionTimeoutMillis` node-postgres waits for ever for a
 * free connection; without `query_timeout` a frozen server holds its callers.
 */
export function createDatabase(options: DatabaseOptions): Database {
  const nameOf = createStatementNames();
  const pool = {
    connectionString: options.url,
    max: options.poolSize,
    connectionTimeoutMillis: options.connectTimeoutMs,
    idleTimeoutMillis: 60_000,
    statement_timeout: options.statementTimeoutMs,
    query_timeout: options.statementTimeoutMs + 500,
    idle_in_transaction_session_timeout: 30_000,
    keepAlive: true,
  };
  const factory = new PrismaPg(
    pool,
    options.hasPreparedStatements === false ? {} : { statementNameGenerator: ({ sql }) => nameOf(sql) },
  );
  const { adapter, queryJson } = createJsonQuery(factory, (sql, seconds) =>
    options.observe?.(operationOf(sql), seconds),
  );
  const client = new PrismaClient({ adapter, log: [{ level: 'query', emit: 'event' }] });
  const { observe } = options;
  if (observe !== undefined)
    client.$on('query', (query) => observe(operationOf(query.query), query.duration / 1000));
  return Object.assign(client, { $queryJson: queryJson(() => client.$connect()) });
}

/** The statement's verb: a label with few values. */
function operationOf(sql: string): string {
  const verb = /^\s*(select|insert|update|delete|with|begin|commit|rollback)\b/i.exec(sql)?.[1];
  return verb?.toLowerCase() ?? 'other';
}
