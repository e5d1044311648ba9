import type { PrismaPg } from '@prisma/adapter-pg';
import { retryOnConflict } from '../retry-on-conflict.ts';
import { UnclearTimestamp, writeTimestamp } from './timestamps.ts';

export type Connection = Awaited<ReturnType<PrismaPg['connect']>>;
type Transaction = Awaited<ReturnType<Connection['startTransaction']>>;
type Query = Parameters<Connection['queryRaw']>[0];
type ArgType = Query['argTypes'][number];

/** Prisma gives instants as text in UTC; our own statements as `Date`. */
function writeArgument(arg: unknown, type: ArgType | undefined): unknown {
  if (Array.isArray(arg)) return arg.map((one) => writeArgument(one, type));
  if (arg instanceof Date) return writeTimestamp(arg);
  if (typeof arg === 'string' && type?.scalarType === 'datetime') return writeTimestamp(new Date(arg));
  return arg;
}

const asText = (type: ArgType): ArgType =>
  type.scalarType === 'datetime' ? { scalarType: 'string', arity: type.arity } : type;

/** The query with its instants as text that carries its zone: the driver itself would leave the zone out. */
const withZones = (query: Query): Query => ({
  ...query,
  args: query.args.map((arg, index) => writeArgument(arg, query.argTypes[index])),
  argTypes: query.argTypes.map(asText),
});

export type Runner = Pick<Connection, 'queryRaw' | 'executeRaw'>;

export const runnerOf = (runner: Runner): Runner => ({
  queryRaw: (query) => runner.queryRaw(withZones(query)),
  executeRaw: (query) => runner.executeRaw(withZones(query)),
});

const simple = (sql: string): Query => ({ sql, args: [], argTypes: [] });

/** Runs work as a transaction, which does not depend on the session's settings. */
export async function inTransaction<T>(connection: Connection, run: (tx: Runner) => Promise<T>): Promise<T> {
  const tx = await connection.startTransaction();
  let result: T;
  try {
    result = await run(tx);
    await tx.executeRaw(simple('COMMIT'));
  } catch (error) {
    await tx.executeRaw(simple('ROLLBACK')).catch(() => undefined);
    await tx.rollback();
    throw error;
  }
  await tx.commit();
  return result;
}

const isRead = ({ sql }: Query): boolean => /^\s*SELECT\b/i.test(sql);

/**
 * The driver of a connection pool, made independent of the settings of server, database and role: instants carry their
 * zone in both directions, and what Postgres ends because of a conflict is run again. Timestamps are read by the pool
 * (`createSessionPool`); a read whose timestamps can't be told for certain is read again in a transaction, and a
 * statement that may write and returns rows runs in one from the start.
 */
export function independentDriver(connection: Connection): Connection {
  const direct = runnerOf(connection);
  const isolated = (query: Query) =>
    retryOnConflict(() => inTransaction(connection, (tx) => runnerOf(tx).queryRaw(query)));
  const startTransaction = connection.startTransaction.bind(connection);
  let readsInTransactions = false;

  async function read(query: Query) {
    if (readsInTransactions) return isolated(query);
    try {
      return await retryOnConflict(() => direct.queryRaw(query));
    } catch (error) {
      if (!(error instanceof UnclearTimestamp)) throw error;
      readsInTransactions = true;
      return isolated(query);
    }
  }

  return new Proxy(connection, {
    get(target, property) {
      if (property === 'queryRaw') return (query: Query) => (isRead(query) ? read(query) : isolated(query));
      if (property === 'executeRaw') return (query: Query) => retryOnConflict(() => direct.executeRaw(query));
      if (property === 'startTransaction')
        return async (...given: Parameters<typeof startTransaction>): Promise<Transaction> => {
          const tx = await startTransaction(...given);
          return Object.assign(tx, runnerOf(bound(tx)));
        };
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** The transaction's own methods, before they are replaced. */
const bound = (tx: Transaction): Runner => ({
  queryRaw: tx.queryRaw.bind(tx),
  executeRaw: tx.executeRaw.bind(tx),
});

/** A statement that takes and returns no timestamps and has no session to depend on: run as it is, in one round trip. */
export const directQuery = (connection: Connection, query: Query) =>
  retryOnConflict(() => runnerOf(connection).queryRaw(query));
