import { migrate } from '@billing/platform';
import { ensureDatabase, startPostgres } from '../services/postgres.ts';
import { startRedis } from '../services/redis.ts';
import { publishRunServices } from './run-services.ts';

const TEMPLATE = 'billing_template';

/**
 * Starts one Postgres and one Redis for the whole jest run and migrates the database that test files clone.
 * Returns what stops them.
 */
export async function startRunServices(): Promise<() => Promise<void>> {
  const [postgres, redis] = await Promise.all([
    startPostgres({ isVolatile: true }),
    startRedis({ say: sayOnStderr }),
  ]);
  await migrate({ databaseUrl: await ensureDatabase(postgres, TEMPLATE) });
  publishRunServices({ postgresUrl: postgres.url, templateDatabase: TEMPLATE, redisUrl: redis.url });
  return async () => {
    await Promise.all([postgres.stop(), redis.stop()]);
  };
}

function sayOnStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}
