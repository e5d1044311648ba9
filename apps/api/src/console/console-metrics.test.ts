import { startTestApi, testAdmin } from '../testing/start-test-api.test-support.ts';
import type { TestApi } from '../testing/start-test-api.test-support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

/** The series of the console, each with its value. */
async function series(): Promise<Record<string, number>> {
  const text = await (await fetch(`${api.url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith('console_'));
  return Object.fromEntries(lines.map((line) => [line.split(' ')[0] ?? '', Number(line.split(' ').at(-1))]));
}

async function signIn(secret: string = testAdmin.secret): Promise<Record<string, string>> {
  const answer = await fetch(`${api.url}/console/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: testAdmin.name, secret }),
  });
  const cookie = answer.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
  return { cookie, 'x-console': '1', origin: api.url, 'content-type': 'application/json' };
}

test('the metrics say who signs in and out, and what is called with a session', async () => {
  const before = await series();
  expect(before).toMatchObject({
    console_sessions: 0,
    'console_sign_ins_total{role="viewer"}': 0,
    'console_sessions_ended_total{how="revoked"}': 0,
    'console_calls_total{role="admin",kind="change"}': 0,
  });
  await signIn('wrong');
  const [mine, other] = [await signIn(), await signIn()];
  await signIn();
  expect(await series()).toMatchObject({ console_sessions: 3, 'console_sign_ins_total{role="admin"}': 3 });

  const call = (path: string, headers: Record<string, string>, method = 'GET', body?: object) =>
    fetch(api.url + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  await call('/api/v1/admin/projects', mine);
  await call('/api/v1/admin/projects', mine, 'POST', { project_id: 'metered', name: 'Metered' });
  // A secret is no session.
  await call('/api/v1/admin/projects', { authorization: `Bearer ${testAdmin.secret}` });
  expect((await call('/console/session', other, 'DELETE')).status).toBe(204);
  const listed = await (await call('/api/v1/admin/sessions', mine)).text();
  const { data } = JSON.parse(listed) as { data: { session_id: string }[] };
  const newest = `/api/v1/admin/sessions/${data[0]?.session_id}`;
  expect((await call(`${newest}?dry_run=true`, mine, 'DELETE')).status).toBe(200);
  expect((await series())['console_sessions_ended_total{how="revoked"}']).toBe(0);
  expect((await call(newest, mine, 'DELETE')).status).toBe(204);
  expect(await series()).toMatchObject({
    console_sessions: 1,
    'console_sessions_ended_total{how="signed_out"}': 1,
    'console_sessions_ended_total{how="revoked"}': 1,
    'console_calls_total{role="admin",kind="read"}': 2,
    'console_calls_total{role="admin",kind="change"}': 3,
  });
});
