import { Pool, types } from 'pg';
import type { CustomTypesConfig, PoolClient, PoolConfig, QueryArrayConfig } from 'pg';
import type { StartupParameters } from './startup-parameters.ts';
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

/** A pooler names one parameter at a time. */
const maxRefusals = 8;

export type SessionPoolOptions = {
  config: PoolConfig;
  startup: StartupParameters;
  /** What a transaction begins with in place of `BEGIN`. */
  begin: string;
};

/**
 * A pool whose sessions need not be set to anything: transactions begin by saying what they depend on, timestamps are
 * read with their offset, and a connection that a pooler refuses for its start-up parameters is tried without them.
 */
export function createSessionPool({ config, startup, begin }: SessionPoolOptions): Pool {
  const pool = new Pool({ ...config, Client: startup.Client });
  const prepare = (query: QueryArrayConfig): QueryArrayConfig =>
    query.text === 'BEGIN'
      ? // Without a name and values Postgres takes several statements at once.
        { text: begin, rowMode: 'array' }
      : { ...query, types: readingTimestamps(query.types) };

  async function connected<T>(connect: () => Promise<T>, triesLeft = maxRefusals): Promise<T> {
    try {
      return await connect();
    } catch (error) {
      if (triesLeft === 0 || !startup.isRefusal(error)) throw error;
      return connected(connect, triesLeft - 1);
    }
  }

  const overrides = {
    query: (query: QueryArrayConfig) => connected(() => pool.query(prepare(query))),
    connect: async () => {
      const client = await connected(() => pool.connect());
      return withOverrides<PoolClient>(client, {
        query: (query: QueryArrayConfig) => client.query(prepare(query)),
      });
    },
  };
  return withOverrides(pool, overrides);
}

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
