import { createReadShares, readsOfOneProject } from './share-reads.ts';
import { createFreshReads } from './fresh-reads.ts';
import type { ReadDeps } from './fresh-reads.ts';
import { startTestApi } from '../testing/start-test-api.test-support.ts';
import type { TestApi } from '../testing/start-test-api.test-support.ts';

const poolSize = 5;
let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ env: { DATABASE_POOL_SIZE: String(poolSize) } });
});
afterAll(() => api.close());

test('a project whose reads are slow leaves connections to the other ones', async () => {
  const [slow, whole] = [await api.createProject(), await api.createProject()];
  const { database } = api.deps;
  let slowReads = 0;
  const slowed: ReadDeps['database'] = {
    async $queryJson(statement) {
      if (statement.values.includes(slow.projectId)) {
        slowReads += 1;
        await database.$queryRaw`SELECT pg_sleep(2)::text`;
      }
      return database.$queryJson(statement);
    },
  };
  const reads = createFreshReads({ ...api.deps, database: slowed });
  const read = (projectId: string, user: string) =>
    reads
      .shared(projectId, user, async () => undefined)
      .fresh.then(
        () => 'answered',
        () => 'refused',
      );

  const late = Array.from({ length: 40 }, (_, count) => read(slow.projectId, `u${count}`));
  for (let count = 0; count < 20; count += 1)
    expect([count, await read(whole.projectId, `u${count}`)]).toEqual([count, 'answered']);
  expect(new Set(await Promise.all(late))).toEqual(new Set(['refused']));
  // Who waited in vain does not read after all.
  expect(slowReads).toBe(readsOfOneProject(poolSize));
});

test.each([
  [1, 1],
  [2, 1],
  [5, 4],
  [10, 8],
  [100, 80],
])('of %d connections the reads of one project hold at most %d', async (size, most) => {
  expect(readsOfOneProject(size)).toBe(most);
  const share = createReadShares(size);
  const done: (() => void)[] = [];
  const started: string[] = [];
  const read = (projectId: string) =>
    share(projectId, () => {
      started.push(projectId);
      return new Promise<void>((resolve) => done.push(resolve));
    });
  const all = Array.from({ length: most + 3 }, () => read('one'));
  all.push(read('other'));
  await new Promise(setImmediate);
  expect(started.filter((one) => one === 'one')).toHaveLength(most);
  expect(started).toContain('other');
  while (started.length < all.length || done.length > 0) {
    done.shift()?.();
    await new Promise(setImmediate);
  }
  await Promise.all(all);
});
