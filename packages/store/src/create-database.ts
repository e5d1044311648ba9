import { hostUrls, postgresConnections, type Range } from '@billing/platform';
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from './generated/client.ts';
import type { Prisma } from './generated/client.ts';
import { createJsonQuery } from './query-json.ts';
import type { QueryJson, TransactJson } from './query-json.ts';
import { retryOnConflict } from './retry-on-conflict.ts';
import { beginTransaction, idleInTransactionMs } from './session/begin-transaction.ts';
import { createSessionPool } from './session/session-pool.ts';
import { createStartupParameters } from './session/startup-parameters.ts';
import type { StartupParameters } from './session/startup-parameters.ts';
import { createStatementNames } from './statement-names.ts';

type TransactionLimits = { maxWait?: number; timeout?: number };
/** Runs `work` in a transaction, and again where Postgres ended it because of a conflict: `work` may run several times. */
type Transact = <T>(work: (tx: Queries) => Promise<T>, limits?: TransactionLimits) => Promise<T>;

export type Database = Omit<PrismaClient, '$transaction'> & {
  $queryJson: QueryJson;
  $transactJson: TransactJson;
  $transaction: Transact;
  /** Start-up parameters that a pooler refused and whose value could change a result. */
  refusedParameters: () => string[];
};

/** The client inside `$transaction`, or the client itself: what a query needs. */
export type Queries = Omit<Prisma.TransactionClient, '$transaction'>;

/** How many connections a pool has, and how many queries wait for one. */
export type PoolState = { open: number; idle: number; waiting: number };

export type DatabaseOptions = {
  url: string;
  poolSize: number;
  /** How long to wait for a free connection, and for a new one to open; the URL's `connect_timeout` goes first. */
  connectTimeoutMs: number;
  /** Longest single statement, enforced by Postgres and, where it no longer answers, by the client. */
  statementTimeoutMs: number;
  observe?: (operation: string, seconds: number) => void;
  /** Given what tells the state of the pool. */
  watchPool?: (read: () => PoolState) => void;
  /** Default true. False for PgBouncer in transaction mode before 1.21, or with `max_prepared_statements = 0`. */
  hasPreparedStatements?: boolean;
  /** Default false: a server in recovery is refused. */
  mayBeReplica?: boolean;
  /** After which a connection is replaced, drawn for each; default 1,800 to 3,600. */
  connectionSeconds?: Range;
};

/**
 * The Prisma client of a process. Without `connectionTimeoutMillis` node-postgres waits for ever for a
 * free connection; without `query_timeout` a frozen server holds its callers. Transactions and statements that Postgres
 * ends because of a conflict are run again.
 */
export function createDatabase(options: DatabaseOptions): Database {
  const { observe, statementTimeoutMs } = options;
  const startup = createStartupParameters({
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionMs,
  });
  const { adapter, queryJson, transactJson } = createJsonQuery(
    createDriver(options, startup),
    (sql, seconds) => observe?.(operationOf(sql), seconds),
  );
  const client = new PrismaClient({
    adapter,
    log: [{ level: 'query', emit: 'event' }],
    transactionOptions: { maxWait: options.connectTimeoutMs },
  });
  if (observe !== undefined)
    client.$on('query', (query) => observe(operationOf(query.query), query.duration / 1000));
  const transact: Transact = client.$transaction.bind(client);
  return Object.assign(client, {
    $queryJson: queryJson(() => client.$connect()),
    $transactJson: transactJson(() => client.$connect()),
    $transaction: ((work, limits) => retryOnConflict(() => transact(work, limits))) satisfies Transact,
    refusedParameters: startup.refusedOfResults,
  });
}

const defaultConnectionSeconds: Range = { min: 1_800, max: 3_600 };

/** Prisma's driver on connections to the primary, or to a replica where that is asked for, that do not depend on settings. */
function createDriver(options: DatabaseOptions, startup: StartupParameters): PrismaPg {
  const { url, poolSize, statementTimeoutMs } = options;
  const { searchParams } = new URL(hostUrls(url)[0]);
  const connectSeconds = Number(searchParams.get('connect_timeout') ?? 0);
  const names = createStatementNames();
  const hasNames = options.hasPreparedStatements !== false;
  const pool = createSessionPool({
    startup,
    begin: beginTransaction({ statementTimeoutMs }),
    configs: postgresConnections(url).map((connection) => ({
      ...connection,
      query_timeout: statementTimeoutMs + 500,
      keepAlive: true,
    })),
    poolSize,
    connectTimeoutMs: connectSeconds > 0 ? connectSeconds * 1000 : options.connectTimeoutMs,
    connectionSeconds: options.connectionSeconds ?? defaultConnectionSeconds,
    mayBeReplica: options.mayBeReplica === true,
    named: () => (hasNames ? names.named() : []),
  });
  options.watchPool?.(() => ({ open: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }));
  return new PrismaPg(pool, {
    disposeExternalPool: true,
    ...(hasNames ? { statementNameGenerator: ({ sql }: { sql: string }) => names.nameOf(sql) } : {}),
  });
}

/** The statement's verb: a label with few values. */
function operationOf(sql: string): string {
  const verb = /^\s*(select|insert|update|delete|with|begin|commit|rollback)\b/i.exec(sql)?.[1];
  return verb?.toLowerCase() ?? 'other';
}
