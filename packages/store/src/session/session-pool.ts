import { types } from 'pg';
import type { CustomTypesConfig, Pool, PoolClient, QueryArrayConfig } from 'pg';
import { PrimaryClient } from './primary-client.ts';
import { createPrimaryPool } from './primary-pool.ts';
import type { PrimaryPoolOptions } from './primary-pool.ts';
import { readTimestamp, refuseZoneless } from './timestamps.ts';

/** Numbers of Postgres's types. */
const [textArray, timestamp, timestampArray, timestamptz, timestamptzArray] = [1009, 1114, 1115, 1184, 1185];

const readTexts: (text: string) => string[] = types.getTypeParser(textArray, 'text');

const timestampReaders: Partial<Record<number, (text: string) => unknown>> = {
  [timestamp]: refuseZoneless,
  [timestampArray]: refuseZoneless,
  [timestamptz]: readTimestamp,
  [timestamptzArray]: (text) => readTexts(text).map(readTimestamp),
};

/** The driver's own way of reading values, but for timestamps. */
function readingTimestamps(others: CustomTypesConfig | undefined): CustomTypesConfig {
  const getTypeParser = (others ?? types).getTypeParser;
  return {
    getTypeParser: (oid: number, format?: 'text' | 'binary') =>
      timestampReaders[oid] ?? getTypeParser(oid, format),
  };
}

export type SessionPoolOptions = PrimaryPoolOptions & {
  /** What a transaction begins with in place of `BEGIN`. */
  begin: string;
};

/**
 * A pool of connections to the primary whose sessions need not be set to anything: transactions begin by saying what they
 * depend on, timestamps are read with their offset, and a connection that a pooler refuses for its start-up parameters is
 * tried without them.
 */
export function createSessionPool({ begin, ...options }: SessionPoolOptions): Pool {
  const primary = createPrimaryPool(options);

  function prepare(asked: QueryArrayConfig, client: PoolClient): QueryArrayConfig {
    // Without a name and values Postgres takes several statements at once.
    if (asked.text === 'BEGIN') return { text: begin, rowMode: 'array' };
    const { name, ...unnamed } = asked;
    const isNamed = name !== undefined && name !== '' && keepsNames(client);
    return { ...unnamed, ...(isNamed ? { name } : {}), types: readingTimestamps(asked.types) };
  }

  async function run(client: PoolClient, asked: QueryArrayConfig) {
    try {
      return await client.query(prepare(asked, client));
    } catch (error) {
      primary.noteFailure(error);
      throw error;
    }
  }

  async function query(asked: QueryArrayConfig) {
    const client = await primary.acquire();
    let failure: unknown;
    try {
      return await run(client, asked);
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      primary.release(client, failure);
    }
  }

  async function connect(): Promise<PoolClient> {
    const client = await primary.acquire();
    let failure: unknown;
    return withOverrides(client, {
      query: (asked: QueryArrayConfig) =>
        run(client, asked).catch((error: unknown) => {
          failure = error;
          throw error;
        }),
      release: (error?: unknown) => primary.release(client, error ?? failure),
    });
  }

  return withOverrides(primary.pool, { query, connect, end: primary.end });
}

const keepsNames = (client: PoolClient): boolean => !(client instanceof PrimaryClient) || client.keepsNames;

/** The same object with some methods of our own: Prisma's driver insists on a real `Pool`. */
function withOverrides<T extends object>(target: T, overrides: Readonly<Record<string, unknown>>): T {
  return new Proxy(target, {
    get(object, property) {
      if (typeof property === 'string' && property in overrides) return overrides[property];
      const value: unknown = Reflect.get(object, property);
      return typeof value === 'function' ? value.bind(object) : value;
    },
  });
}
