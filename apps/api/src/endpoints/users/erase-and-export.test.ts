import { seedEvents } from '../../openapi/testing/seed-records.test-support.ts';
import { testAdmin } from '../../testing/start-test-api.test-support.ts';
import { startCommerce, uniqueId } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';
import { giveGrant, giveSubscription } from '../../testing/sources.test-support.ts';

let api: Commerce;
let projectId: string;
beforeAll(async () => {
  api = await startCommerce();
  ({ projectId } = await api.createProject());
});
afterAll(() => api.close());

const erase = (userId: string, more: object = {}) =>
  api.admin('post', '/users/erase', { project_id: projectId, user_id: userId, reason: 'asked', ...more });

const give = (userId: string) => giveGrant(api.deps.database, { projectId, userId }, { featureCode: 'f' });

test('a user whom nobody knows is erased as well: 202 and a run', async () => {
  const { body } = await erase(uniqueId('user')).expect(202);
  const run = await api.admin('get', `/runs/${body.run_id}`).expect(200);
  expect(run.body).toMatchObject({ kind: 'erase', project_id: projectId, requested_by: testAdmin.name });
  const job = await api.deps.maintenance.bull.getJob(body.run_id);
  expect([job?.name, job?.data]).toEqual(['erase', { run_id: body.run_id }]);
  expect(await api.deps.database.erasedUser.count()).toBeGreaterThan(0);
});

test('a dry run answers what would go, and changes nothing', async () => {
  const userId = uniqueId('user');
  await give(userId);
  const counts = async () => [
    await api.deps.database.run.count(),
    await api.deps.database.erasedUser.count(),
    await api.deps.database.auditEntry.count(),
    await api.deps.database.grant.count(),
  ];
  const before = await counts();
  const { body } = await erase(userId, { dry_run: true }).expect(200);
  expect(body).toEqual({ changes: [{ path: 'grants', before: 1, after: 0 }], affected_users: 1 });
  const unknown = await erase(uniqueId('user'), { dry_run: true }).expect(200);
  expect(unknown.body).toEqual({ changes: [], affected_users: 0 });
  expect(await counts()).toEqual(before);
});

test.each([
  ['an unknown project', { project_id: 'nowhere' }, 404, 'project_not_found'],
  ['no reason', { reason: undefined }, 400, 'invalid_request'],
  ['a field that is not known', { force: true }, 400, 'invalid_request'],
  ['stripe that is no boolean', { stripe: 'yes' }, 400, 'invalid_request'],
])('%s is refused', async (_what, more, status, code) => {
  const userId = uniqueId('user');
  await give(userId);
  expect((await erase(userId, more).expect(status)).body.code).toBe(code);
  expect(await api.deps.database.user.count({ where: { userId } })).toBe(1);
});

test('the audit log has who erased, and until the run is done whom', async () => {
  const userId = uniqueId('user');
  const { body } = await erase(userId, { reason: 'case 4711' }).expect(202);
  const { body: audit } = await api.admin('get', '/audit?action=user.erase&limit=1').expect(200);
  expect(audit.data[0]).toMatchObject({
    actor: testAdmin.name,
    target_id: userId,
    reason: 'case 4711',
    details: { run_id: body.run_id, stripe: false },
  });
});

test('new users of the project start above every version that was erased', async () => {
  const [erased, other] = [uniqueId('user'), uniqueId('user')];
  for (let count = 0; count < 5; count += 1) await give(erased);
  const { version } = await api.deps.database.user.findFirstOrThrow({ where: { userId: erased } });
  await erase(erased).expect(202);
  await give(other);
  const after = await api.deps.database.user.findFirstOrThrow({ where: { userId: other } });
  expect(after.version).toBeGreaterThan(version);
});

test('without ERASURE_KEY nobody is erased, and where it was used before the process is degraded', async () => {
  const bare = await startCommerce({ ERASURE_KEY: '' });
  try {
    const own = await bare.createProject();
    const request = { project_id: own.projectId, user_id: 'ann', reason: 'asked' };
    for (const more of [{}, { dry_run: true }]) {
      const { body } = await bare.admin('post', '/users/erase', { ...request, ...more }).expect(503);
      expect(body.code).toBe('erasure_not_configured');
    }
    const ready = async () => (await bare.http().get('/ready')).body;
    expect(await ready()).toEqual({ status: 'ready', checks: { database: 'ok', redis: 'ok' } });
    await bare.deps.database.erasedUser.create({
      data: {
        digest: new Uint8Array(32),
        keyId: 'abc',
        projectId: own.projectId,
        version: 1n,
        erasedAt: new Date(),
      },
    });
    expect(await ready()).toEqual({
      status: 'degraded',
      checks: { database: 'ok', redis: 'ok', erasure: 'ERASURE_KEY lacks the key abc' },
    });
    // Whether it was looked for somebody who was erased cannot be told.
    const { body } = await bare.admin('get', '/users?query=bob').expect(503);
    expect(body).toMatchObject({
      code: 'service_unavailable',
      detail: expect.stringContaining('ERASURE_KEY'),
    });
  } finally {
    await bare.close();
  }
});

test('an export of an unknown user is null, names nobody in the audit log, and 404 without a project', async () => {
  const userId = uniqueId('user');
  const ask = (project: string) =>
    api.admin('post', '/users/export', { project_id: project, user_id: userId });
  expect((await ask(projectId).expect(200)).body).toEqual({ user: null });
  await ask('nowhere').expect(404);
  const { body } = await api.admin('get', '/audit?action=user.export&limit=1').expect(200);
  expect(body.data[0].target_id).toBe('unknown');
});

test('an export has what nobody has yet and names the user, with its events, and nothing of the same id elsewhere', async () => {
  const userId = uniqueId('user');
  await give(userId);
  const { database } = api.deps;
  const waiting = async (claimedProjectId: string) => {
    const owner = { projectId, userId: uniqueId('other') };
    const { result: id } = await giveSubscription(database, owner, { stripePriceId: uniqueId('price') });
    await database.subscription.update({
      where: { id },
      data: { userRef: null, claimedUserId: userId, claimedProjectId },
    });
    return id;
  };
  const [own, foreign] = [await waiting(projectId), await waiting(uniqueId('project'))];
  const [eventId = ''] = await seedEvents(database, own);
  const { body } = await api
    .admin('post', '/users/export', { project_id: projectId, user_id: userId })
    .expect(200);
  expect(body.user.subscriptions).toMatchObject([{ id: own, user_ref: null }]);
  expect(body.user.events.map((one: { event_id: string }) => one.event_id)).toContain(eventId);
  expect(JSON.stringify(body)).not.toContain(foreign);
});

test('a checkout that was under way while its user was erased brings the user back', async () => {
  const shop = await api.createProject();
  const price = await api.sell(shop.projectId);
  const userId = uniqueId('user');
  const order = api.order(price.priceId, { user_id: userId });
  await api.checkout(shop.apiKey, order).expect(200);
  // Stripe takes its time.
  await api.fault('hang', 1, { path: '/v1/checkout/sessions', executed: true });
  const answer = api.checkout(shop.apiKey, { ...order, quantity: 2 }).then((response) => response.status);
  await api.deps.database.$queryRaw`SELECT pg_sleep(0.2)::text`;
  const body = { project_id: shop.projectId, user_id: userId, reason: 'asked' };
  await api.admin('post', '/users/erase', body).expect(202);
  expect(await api.deps.database.user.count({ where: { userId } })).toBe(0);
  expect(await answer).toBe(200);
  expect(await api.deps.database.user.count({ where: { userId } })).toBe(1);
}, 40_000);
