import { withSpan } from '@billing/platform';
import type { PrismaPg } from '@prisma/adapter-pg';
import type { Prisma } from './generated/client.ts';
import { retryOnConflict } from './retry-on-conflict.ts';
import { directQuery, independentDriver, inTransaction, runnerOf } from './session/independent-driver.ts';
import type { Connection, Runner } from './session/independent-driver.ts';

/**
 * Runs a statement that answers with one row of one JSON column, and returns what is in it. It has no transaction of its
 * own to set anything: instants in the JSON are milliseconds.
 */
export type QueryJson = <T>(statement: Prisma.Sql) => Promise<T>;

/**
 * The same in a transaction, which is run again where Postgres ends it because of a conflict: `work` may run several
 * times. All its statements answer with one row of one JSON column.
 */
export type TransactJson = <T>(work: (query: QueryJson) => Promise<T>) => Promise<T>;

/**
 * Runs the few hot statements on Prisma's own connections, by Prisma's own driver, but past its client, which turns
 * every value into JSON and back several times. A batch of events is tens of kilobytes, and half of the worker's CPU
 * for it would go into that. Returns the driver for the client to use, and the function that queries by it.
 */
export function createJsonQuery(factory: PrismaPg, observe: (sql: string, seconds: number) => void) {
  let connection: Connection | undefined;

  /** What is in the one column of the one row. */
  async function ask({ text, values }: Prisma.Sql, query: Runner['queryRaw']): Promise<unknown> {
    const startedAt = performance.now();
    try {
      const argTypes = values.map((value) => ({
        scalarType: 'unknown' as const,
        arity: Array.isArray(value) ? ('list' as const) : ('scalar' as const),
      }));
      // Named as Prisma names the same span of its own statements.
      const { rows } = await withSpan('prisma:client:db_query', { 'db.system.name': 'postgresql' }, () =>
        query({ sql: text, args: values, argTypes }),
      );
      return rows[0]?.[0];
    } finally {
      observe(text, (performance.now() - startedAt) / 1000);
    }
  }

  async function connected(connect: () => Promise<void>): Promise<Connection> {
    if (connection === undefined) await connect();
    if (connection === undefined) throw new Error('Prisma connected without its driver');
    return connection;
  }

  return {
    adapter: {
      provider: 'postgres' as const,
      adapterName: factory.adapterName,
      connect: async (): Promise<Connection> => {
        connection = await factory.connect();
        return independentDriver(connection);
      },
    },
    queryJson:
      (connect: () => Promise<void>): QueryJson =>
      async (statement) => {
        const database = await connected(connect);
        return parsed(await ask(statement, (query) => directQuery(database, query)));
      },
    transactJson:
      (connect: () => Promise<void>): TransactJson =>
      async (work) => {
        const database = await connected(connect);
        return retryOnConflict(() =>
          inTransaction(database, (tx) => {
            const { queryRaw } = runnerOf(tx);
            return work(async (statement) => parsed(await ask(statement, queryRaw)));
          }),
        );
      },
  };
}

function parsed(answer: unknown) {
  if (typeof answer !== 'string') throw new Error('a statement returned no JSON');
  return JSON.parse(answer);
}
