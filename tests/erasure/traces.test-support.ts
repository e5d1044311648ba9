import { createLogger, connectRedis } from '@billing/platform';
import { createDatabase } from '@billing/store';
import { waitFor } from '@billing/testing';
import type { WholeSystem } from '../journeys/whole-system.test-support.ts';

/** Every table, every row of it as text: those that hold a text, by table. */
async function findInTables(system: WholeSystem, text: string): Promise<string[]> {
  const database = createDatabase({
    url: system.database.ownerUrl,
    poolSize: 1,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 10_000,
  });
  try {
    const tables = await database.$queryRaw<{ name: string }[]>`
      SELECT c.oid::regclass::text AS name FROM pg_catalog.pg_class c
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'`;
    if (tables.length < 15) throw new Error('the tables were not found');
    const found: string[] = [];
    for (const { name } of tables) {
      const rows = await database.$queryRawUnsafe<{ row: string }[]>(
        `SELECT t::text AS row FROM ${name} t WHERE strpos(t::text, $1) > 0`,
        text,
      );
      found.push(...rows.map(({ row }) => `${name}: ${row}`));
    }
    return found;
  } finally {
    await database.$disconnect();
  }
}

/** Everything that a value of Redis holds, as text. */
async function readValue(redis: ReturnType<typeof connectRedis>, key: string): Promise<string> {
  const type = await redis.type(key);
  if (type === 'string') return (await redis.get(key)) ?? '';
  if (type === 'hash') return JSON.stringify(await redis.hgetall(key));
  if (type === 'list') return JSON.stringify(await redis.lrange(key, 0, -1));
  if (type === 'set') return JSON.stringify(await redis.smembers(key));
  if (type === 'zset') return JSON.stringify(await redis.zrange(key, 0, -1));
  return type === 'stream' ? JSON.stringify(await redis.xrange(key, '-', '+')) : '';
}

async function findInRedis(system: WholeSystem, text: string): Promise<string[]> {
  const logger = createLogger({ service: 'test', level: 'error', format: 'json' });
  const redis = connectRedis({ url: system.redis.url, role: 'worker', logger });
  try {
    const keys = await redis.keys('*');
    const values = await Promise.all(keys.map(async (key) => `${key}: ${await readValue(redis, key)}`));
    return values.filter((value) => value.includes(text));
  } finally {
    redis.disconnect();
  }
}

/** Where a text is found: in columns, keys and values of Redis, log lines. */
export async function tracesOf(system: WholeSystem, text: string): Promise<string[]> {
  const logs = [...system.logs, ...system.workerLogs].filter((line) => line.includes(text));
  return [...(await findInTables(system, text)), ...(await findInRedis(system, text)), ...logs];
}

/** Waits for the end of a run, and returns its result. */
export async function awaitRun(system: WholeSystem, runId: string): Promise<Record<string, unknown>> {
  let last: { status: string; result: Record<string, unknown>; error: string | null } | undefined;
  await waitFor(
    async () => {
      const { body } = await system.admin('get', `/runs/${runId}`).expect(200);
      last = body;
      return body.status !== 'running';
    },
    { what: `the run ${runId}`, timeoutMs: 25_000 },
  ).catch((error: unknown) => {
    throw new Error(`the run does not end: ${JSON.stringify(last)}`, { cause: error });
  });
  if (last?.status !== 'done') throw new Error(`the run failed: ${last?.error}`);
  return last.result;
}
