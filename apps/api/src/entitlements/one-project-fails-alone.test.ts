import { waitFor } from '@billing/testing';
import { startTestApi } from '../testing/start-test-api.test-support.ts';
import type { TestApi } from '../testing/start-test-api.test-support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const check = (apiKey: string, user: string) =>
  api.http().get(`/api/v1/entitlements?user_id=${user}`).set('authorization', `Bearer ${apiKey}`);

test('a project whose reads keep failing does not stop those of others', async () => {
  const [broken, whole] = [await api.createProject(), await api.createProject()];
  // What no call can store: every read of this project fails.
  await api.deps.database.$executeRawUnsafe(
    `UPDATE projects SET policy = '{"unpaid":"maybe"}' WHERE id = '${broken.projectId}'`,
  );
  for (let read = 0; read < 12; read += 1) {
    expect((await check(broken.apiKey, `u${read}`)).status).toBe(503);
    expect([read, (await check(whole.apiKey, `u${read}`)).status]).toEqual([read, 200]);
  }
  // Also where its failures follow each other, with no success of others between them.
  await Promise.all(Array.from({ length: 30 }, (_, read) => check(broken.apiKey, `many${read}`)));
  expect((await check(whole.apiKey, 'after')).status).toBe(200);
});

test('while Postgres cannot be reached reads of all projects are refused at once', async () => {
  const projects = await Promise.all(Array.from({ length: 6 }, () => api.createProject()));
  await waitFor(async () => (await check(projects[5]?.apiKey ?? '', 'warm')).status === 200, {
    what: 'the keys',
  });
  await api.databaseProxy.setMode('refuse');
  for (const { apiKey } of projects) await check(apiKey, 'cold');
  const startedAt = performance.now();
  const answers = await Promise.all(projects.map(({ apiKey }) => check(apiKey, 'cold')));
  expect(answers.map(({ status }) => status)).toEqual(projects.map(() => 503));
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  await api.databaseProxy.setMode('pass');
  await waitFor(async () => (await check(projects[0]?.apiKey ?? '', 'back')).status === 200, {
    what: 'Postgres',
  });
});
