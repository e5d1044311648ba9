import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestApi, testAdmin } from '../../../api/src/testing/start-test-api.test-support.ts';
import type { TestApi } from '../../../api/src/testing/start-test-api.test-support.ts';
import { runBilling } from './run-billing.ts';

let api: TestApi;
const folder = mkdtempSync(join(tmpdir(), 'billing-catalog-'));

beforeAll(async () => {
  api = await startTestApi();
});
afterAll(async () => {
  await api.close();
  rmSync(folder, { recursive: true });
});

async function billing(...args: string[]) {
  const [printed, said]: [string[], string[]] = [[], []];
  const code = await runBilling([...args, '--yes'], {
    print: (text) => printed.push(text),
    say: (text) => said.push(text),
    ask: () => Promise.resolve(null),
    env: { BILLING_URL: api.url, BILLING_ADMIN_KEY: testAdmin.secret },
    stackPath: join(folder, 'none.json'),
  });
  return { code, out: printed.join('\n'), said: said.join('\n') };
}

test('what was sold, to whom, and what it is worth', async () => {
  const { projectId } = await api.createProject();
  const { database } = api.deps;
  const user = await database.user.create({ data: { projectId, userId: 'ann' } });
  await database.subscription.create({ data: { id: 'sub_1', userRef: user.id, status: 'active' } });
  await database.purchase.create({
    data: {
      id: 'pi_1',
      userRef: user.id,
      status: 'paid',
      paidAt: new Date(),
      sessionId: 'cs_1',
      amount: 900n,
      currency: 'eur',
    },
  });
  const numbers = { active: 1, trialing: 0, total: 2, begun: 1, ended: 0 };
  await database.revenueDay.create({
    data: {
      projectId,
      day: '2026-11-22',
      mrr: [{ currency: 'usd', amount: 1_900 }],
      ...numbers,
      statuses: { active: 1, past_due: 1 },
      writtenAt: new Date(),
    },
  });
  const lists = {
    subscriptions: await billing('subscriptions', 'list', '--project', projectId, '--status', 'active'),
    purchases: await billing('purchases', 'list', '--user', 'ann'),
    revenue: await billing('mrr', projectId, '--from', '2026-11-22', '--to', '2026-11-22'),
    user: await billing('users', 'show', projectId, 'ann'),
  };
  expect(lists.subscriptions.out).toMatch(/sub_1 +\S+ +ann +active/);
  expect(lists.purchases.out).toMatch(/pi_1 +\S+ +ann +paid +900 eur/);
  expect(lists.revenue.out).toMatch(/2026-11-22 +1900 usd +1 +0 +1 past_due +1 +0/);
  expect(lists.user.out).toContain('sub_1');
  await billing('grant', projectId, 'ann', 'export', '--reason', 'case 4711');
  expect((await billing('users', 'timeline', projectId, 'ann')).out).toMatch(
    /grant +granted +export.*case 4711/,
  );
  expect((await billing('usage', 'top', projectId, 'calls')).out).toContain('Nothing was used');
  await database.stripeEvent.create({
    data: {
      eventId: 'evt_cli',
      type: 'invoice.paid',
      status: 'ignored',
      reason: 'of_the_test',
      created: new Date(),
      receivedAt: new Date(),
    },
  });
  expect((await billing('event', 'evt_cli')).out).toMatch(/payload +no longer kept/);
});

test('a catalog goes from one project to another, first as a trial', async () => {
  const [staging, production] = [await api.createProject(), await api.createProject()];
  const settings = '[{"feature_code":"calls","allowance":1000,"period":"month"}]';
  await billing('features', 'create', staging.projectId, 'calls', '--kind', 'metered');
  const pro = ['products', 'create', staging.projectId, 'pro', '--name', 'Pro'];
  await billing(...pro, '--features', 'export', '--settings', settings);
  const price = [
    '--product',
    'pro',
    '--stripe-price',
    'price_of_test',
    '--amount',
    '1900',
    '--currency',
    'usd',
  ];
  const named = ['--price-id', 'pro_monthly', '--interval', 'month'];
  const created = await billing('prices', 'create', staging.projectId, ...named, ...price);
  expect(created.code).toBe(0);

  const file = join(folder, 'catalog.json');
  writeFileSync(file, (await billing('catalog', 'export', staging.projectId)).out);
  const ids = join(folder, 'ids.json');
  writeFileSync(ids, '{"price_of_test":"price_of_live"}');
  const apply = ['catalog', 'apply', production.projectId, file, '--stripe-ids', ids];
  const tried = await billing(...apply, '--dry-run');
  expect(tried.out).toMatch(/create +feature +calls[\s\S]*create +product +pro[\s\S]*create +price/);
  expect((await billing('products', 'list', production.projectId)).out).toContain('no product yet');
  expect((await billing(...apply)).code).toBe(0);
  expect((await billing('prices', 'list', production.projectId)).out).toContain('price_of_live');
  expect((await billing(...apply)).out).toBe('The catalog is as the file says.');

  await billing('products', 'update', production.projectId, 'pro', '--name', 'Other');
  const changed = await billing(...apply, '--dry-run');
  expect(changed.out).toMatch(/update +product +pro +0 +name: "Other" → "Pro"/);
  expect((await billing('catalog', 'apply', production.projectId, ids)).code).toBe(2);
});
