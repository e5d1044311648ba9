import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { createErasureKeys, eraseUser } from '@billing/store';
import {
  startTestApi,
  testAdmin,
  testErasureKey,
} from '../../../api/src/testing/start-test-api.test-support.ts';
import type { TestApi } from '../../../api/src/testing/start-test-api.test-support.ts';
import { runBilling } from '../commands/run-billing.ts';

let api: TestApi;
let projectId: string;
beforeAll(async () => {
  api = await startTestApi();
  ({ projectId } = await api.createProject());
});
afterAll(() => api.close());

async function billing(args: string[], env: Record<string, string> = {}) {
  const printed: string[] = [];
  const said: string[] = [];
  const code = await runBilling(args, {
    print: (text) => printed.push(text),
    say: (text) => said.push(text),
    ask: () => Promise.resolve(null),
    env: {
      BILLING_URL: api.url,
      BILLING_ADMIN_KEY: testAdmin.secret,
      DATABASE_URL: api.database.url,
      REDIS_URL: api.redis.url,
      STRIPE_SECRET_KEY: 'sk_test_again',
      ERASURE_KEY: testErasureKey,
      ...env,
    },
    stackPath: join(tmpdir(), 'billing-no-such-stack.json'),
  });
  return { code, out: printed.join('\n'), said: said.join('\n') };
}

const users = async (): Promise<string[]> =>
  (await api.deps.database.user.findMany({ orderBy: { userId: 'asc' } })).map((user) => user.userId);

const hourAgo = new Date(Date.now() - 3_600_000);
const restored = (userId: string) =>
  api.deps.database.user.create({ data: { projectId, userId, createdAt: hourAgo } });

test('erase asks for a reason and a confirmation, tries, and leaves the rest to the worker', async () => {
  await restored('ann');
  expect(await billing(['erase', projectId, 'ann'])).toMatchObject({ code: 2 });
  expect(await billing(['erase', projectId, 'ann', '--reason', 'asked'])).toMatchObject({ code: 2 });
  const tried = await billing(['erase', projectId, 'ann', '--reason', 'asked', '--dry-run']);
  expect(tried).toMatchObject({ code: 0, out: expect.stringContaining('affected users  1') });
  expect(await users()).toEqual(['ann']);
  const exported = await billing(['export', projectId, 'ann']);
  expect(JSON.parse(exported.out).user.user_id).toBe('ann');
  const done = await billing(['erase', projectId, 'ann', '--reason', 'asked', '--yes', '--no-wait']);
  expect(done).toMatchObject({ code: 0, out: expect.stringContaining('erase') });
  expect(await users()).toEqual([]);
});

test('--again erases whom a restore brought back, wherever the id is, and nobody who came back since', async () => {
  const keys = createErasureKeys([testErasureKey]);
  const { database } = api.deps;
  for (const userId of ['back', 'claimed', 'noted', 'row'])
    await eraseUser(database, keys, {
      order: { projectId, userId, reason: 'asked', isAtStripe: false },
      actor: { name: 'tester', requestId: null },
    });
  // By a checkout.
  await database.user.create({ data: { projectId, userId: 'back' } });
  await database.user.create({ data: { projectId, userId: 'never erased', createdAt: hourAgo } });
  await restored('row');
  await database.subscription.create({
    data: { id: 'sub_restored', claimedUserId: 'claimed', claimedProjectId: projectId, createdAt: hourAgo },
  });
  await database.stripeEvent.create({
    data: {
      eventId: 'evt_restored',
      type: 'x',
      status: 'ignored',
      reason: 'no_effect',
      created: hourAgo,
      receivedAt: hourAgo,
      payload: { data: { object: { metadata: { user_id: 'noted', project_id: projectId } } } },
    },
  });
  const tried = await billing(['erase', '--again', '--dry-run', '--json']);
  expect(JSON.parse(tried.out)).toEqual({ dry_run: true, users: 3, runs: [] });
  const done = await billing(['erase', '--again', '--yes', '--json']);
  expect(JSON.parse(done.out)).toMatchObject({
    users: 3,
    runs: [expect.any(String), expect.any(String), expect.any(String)],
  });
  expect(await users()).toEqual(['back', 'never erased']);
  expect(await database.subscription.count()).toBe(0);
  // The worker does the rest of these.
  expect(await database.run.count({ where: { kind: 'erase', requestedBy: 'erase --again' } })).toBe(3);
  const other = await billing(['erase', '--again', '--yes'], {
    ERASURE_KEY: randomBytes(32).toString('base64'),
  });
  expect(other).toMatchObject({ code: 1, said: expect.stringContaining('ERASURE_KEY lacks the key') });
});
