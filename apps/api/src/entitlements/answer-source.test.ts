import { startTestApi } from '../testing/start-test-api.test-support.ts';
import type { TestApi } from '../testing/start-test-api.test-support.ts';
import { createAnswerSource } from './answer-source.ts';

let api: TestApi;
let projectId: string;
beforeAll(async () => {
  api = await startTestApi();
  ({ projectId } = await api.createProject());
});
afterAll(() => api.close());

/** A source of answers whose cache acknowledges a fill when it is told to. */
function openSource() {
  const filled: number[] = [];
  let acknowledge = (): void => undefined;
  const acknowledged = new Promise<void>((resolve) => (acknowledge = resolve));
  const cache = {
    ...api.deps.cache,
    fill: async (_ticket: unknown, { userVersion }: { userVersion: number }) => {
      filled.push(userVersion);
      await acknowledged;
      return 'stored' as const;
    },
  };
  return { source: createAnswerSource({ ...api.deps, cache }), filled, acknowledge: () => acknowledge() };
}

const miss = (leastVersion = 0) =>
  ({ state: 'miss', ticket: { generation: 'g', server: 'r', startedAt: 0 }, leastVersion }) as const;

async function createUser(userId: string, version: number): Promise<void> {
  await api.deps.database.user.create({ data: { projectId, userId, version } });
}

test('a miss is answered before the cache has acknowledged the answer', async () => {
  await createUser('first', 3);
  const { source, filled } = openSource();
  const answered = await source.afterMiss(miss(3), projectId, 'first');
  expect([answered.cache, filled]).toEqual(['miss', [3]]);
  const [ofMany] = await source.forMany(projectId, ['first']);
  expect([ofMany?.cache, filled]).toEqual(['miss', [3, 3]]);
});

test('whoever comes before the acknowledgement joins the read', async () => {
  await createUser('joined', 1);
  const { source, filled } = openSource();
  const first = await source.afterMiss(miss(), projectId, 'joined');
  await api.deps.database.user.updateMany({ where: { userId: 'joined' }, data: { version: 2 } });
  expect((await source.afterMiss(miss(), projectId, 'joined')).answer).toBe(first.answer);
  expect(filled).toEqual([1]);
});

test('whoever knows of a newer version reads again, once the older read can be joined no more', async () => {
  await createUser('newer', 1);
  const { source, filled, acknowledge } = openSource();
  await source.afterMiss(miss(), projectId, 'newer');
  await api.deps.database.user.updateMany({ where: { userId: 'newer' }, data: { version: 2 } });
  const newer = source.afterMiss(miss(2), projectId, 'newer');
  acknowledge();
  await newer;
  expect(filled).toEqual([1, 2]);
});
