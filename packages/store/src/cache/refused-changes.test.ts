import { connectServer, createLogger } from '@billing/platform';
import { createTestDatabase, startTestRedis, waitFor } from '@billing/testing';
import { changeUser } from '../change-user.ts';
import { createDatabase } from '../create-database.ts';
import { createEntitlementCache } from './entitlement-cache.ts';

const logger = createLogger({ service: 'test', level: 'error', format: 'json' });
const projectId = 'project';

async function startWorld() {
  const [place, server] = await Promise.all([createTestDatabase(), startTestRedis()]);
  const database = createDatabase({
    url: place.url,
    poolSize: 4,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 5_000,
  });
  await database.project.create({ data: { id: projectId, name: 'Project' } });
  const redis = connectServer({ url: server.url, role: 'cache', logger });
  const cache = createEntitlementCache({ redis, database, clock: Date.now, logger, ttlSeconds: 300 });
  const loop = cache.follow();
  await waitFor(() => cache.enabledShare() > 0, { what: 'the cache' });
  return {
    database,
    cache,
    stateOf: async (userId: string) => (await cache.lookUp(projectId, userId)).state,
    /** Whether the server answers reads and refuses what is to be written. */
    refuse: (isRefusing: boolean) => redis.config('SET', 'min-replicas-to-write', isRefusing ? '1' : '0'),
    async close(): Promise<void> {
      await loop.stop();
      redis.disconnect();
      await database.$disconnect();
      await Promise.all([place.drop(), server.stop()]);
    },
  };
}

let world: Awaited<ReturnType<typeof startWorld>>;
beforeAll(async () => {
  world = await startWorld();
});
afterEach(() => world.refuse(false));
afterAll(() => world.close());

test('a server that refused a change is used again although another process told it', async () => {
  const { cache, refuse, stateOf } = world;
  await refuse(true);
  await expect(cache.invalidate([{ projectId, userId: 'u', version: 1n }])).rejects.toThrow('NOREPLICAS');
  expect(await stateOf('u')).toBe('unavailable');
  await refuse(false);
  // Nothing waits, so this process has nothing to publish by which it would notice.
  await waitFor(async () => (await stateOf('u')) === 'miss', { what: 'the server to be used again' });
});

test('and not while the change waits', async () => {
  const { cache, database, refuse, stateOf } = world;
  await refuse(true);
  const { pending } = await changeUser(database, { projectId, userId: 'waits' }, async () => ({
    result: undefined,
    changed: true,
  }));
  await expect(cache.invalidate(pending)).rejects.toThrow('NOREPLICAS');
  const countOld = async () => {
    const rows = await database.$queryRaw<unknown[]>`
      SELECT FROM public.cache_invalidations WHERE created_at < clock_timestamp() - interval '2 s'`;
    return rows.length;
  };
  // It is asked twice a second what waits.
  await waitFor(async () => (await countOld()) === 1, { what: 'two seconds of the database' });
  expect(await stateOf('waits')).toBe('unavailable');
  await refuse(false);
  await waitFor(async () => (await stateOf('waits')) === 'miss', { what: 'the server to be used again' });
});
