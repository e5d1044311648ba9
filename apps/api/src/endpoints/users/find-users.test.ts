import { apiKeyPrefix } from '@billing/domain';
import { startCommerce } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';

let commerce: Commerce;
beforeAll(async () => {
  commerce = await startCommerce();
});
afterAll(() => commerce.close());

const find = async (query: string) =>
  (await commerce.admin('get', `/users?query=${encodeURIComponent(query)}`).expect(200)).body;

test('a key that is pasted whole is found by its prefix, and the key itself is in no log', async () => {
  const { projectId, apiKey } = await commerce.createProject();
  const prefix = apiKeyPrefix(apiKey);
  const found = await find(prefix);
  expect(found.data).toMatchObject([
    { matched: 'api_key', matched_id: prefix, project_id: projectId, user_id: null },
  ]);
  expect(await find(apiKey)).toEqual(found);
  const { body } = await commerce.admin('get', '/audit?action=user.find').expect(200);
  expect(body.data.map(({ target_id: id }: { target_id: string }) => id)).toEqual([prefix, prefix]);
  expect(commerce.logs.join('')).not.toContain(apiKey);
});

test('a user of such an id is found all the same', async () => {
  const { projectId } = await commerce.createProject();
  const userId = 'proj_a_user_who_is_no_key';
  const grant = { project_id: projectId, user_id: userId, feature_code: 'premium', reason: 'Test' };
  await commerce.admin('post', '/grant', grant).expect(201);
  expect((await find(userId)).data).toMatchObject([{ matched: 'user_id', user_id: userId }]);
});
