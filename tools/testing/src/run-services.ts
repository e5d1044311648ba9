import { randomBytes } from 'node:crypto';
import { migrate } from '@billing/platform';
import { Client } from 'pg';
import { ensureDatabase, oddSettings, startPostgres } from './services/postgres.ts';
import { startRedis } from './services/redis.ts';

/** The servers of one jest run. */
export type RunServices = { postgresUrl: string; templateDatabase: string; redisUrl: string };

/** jest's global setup passes them to the test files, which run in other processes, by environment. */
const variables = {
  postgresUrl: 'BILLING_TEST_POSTGRES_URL',
  templateDatabase: 'BILLING_TEST_TEMPLATE',
  redisUrl: 'BILLING_TEST_REDIS_URL',
} as const satisfies Record<keyof RunServices, string>;

/**
 * Starts one Postgres and one Redis for the whole jest run and migrates the database that test files clone.
 * Returns what stops them.
 */
export async function startRunServices(): Promise<() => Promise<void>> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const [postgres, redis] = await Promise.all([
    startPostgres({ isVolatile: true, settings: oddSettings }),
    startRedis({ say }),
  ]);
  const templateDatabase = 'billing_template';
  const databaseUrl = await ensureDatabase(postgres, templateDatabase);
  await migrate({ databaseUrl, serviceUrl: asServiceRole(databaseUrl) });
  process.env[variables.postgresUrl] = postgres.url;
  process.env[variables.templateDatabase] = templateDatabase;
  process.env[variables.redisUrl] = redis.url;
  return async () => {
    await Promise.all([postgres.stop(), redis.stop()]);
  };
}

/** Throws outside of a jest run of this repository. */
export function runServices(): RunServices {
  const read = (name: string): string => {
    const value = process.env[name];
    if (value === undefined)
      throw new Error(`${name} is not set: run the tests with this repository's jest.`);
    return value;
  };
  return {
    postgresUrl: read(variables.postgresUrl),
    templateDatabase: read(variables.templateDatabase),
    redisUrl: read(variables.redisUrl),
  };
}

/** The role of the service, with the least rights; `postgres` owns the tables. */
const serviceRole = 'billing_service';

function asServiceRole(ownerUrl: string): string {
  const url = new URL(ownerUrl);
  url.username = serviceRole;
  return url.href;
}

export type TestDatabase = {
  /** As the service role, as in production. */
  url: string;
  /** As the owner of the tables, for what the service itself may not do. */
  ownerUrl: string;
  /** Runs SQL as the owner. */
  asOwner: (sql: string) => Promise<void>;
  /** Drops it, ending whatever is still connected. */
  drop: () => Promise<void>;
};

/** A migrated, empty database for one test file, cloned from the run's template (about 0.1 s). */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { postgresUrl, templateDatabase } = runServices();
  const name = `test_${randomBytes(8).toString('hex')}`;
  await execute(postgresUrl, `CREATE DATABASE ${name} TEMPLATE ${templateDatabase} STRATEGY FILE_COPY`);
  const url = new URL(postgresUrl);
  url.pathname = `/${name}`;
  return {
    url: asServiceRole(url.href),
    ownerUrl: url.href,
    asOwner: (sql) => execute(url.href, sql),
    drop: () => execute(postgresUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function execute(postgresUrl: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: postgresUrl });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
