import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestProxy } from '@billing/testing';
import { startTestApi, testAdmin } from '../../../api/src/testing/start-test-api.test-support.ts';
import type { TestApi } from '../../../api/src/testing/start-test-api.test-support.ts';
import { runBilling } from './run-billing.ts';

let api: TestApi;
const noStack = join(tmpdir(), 'billing-no-such-stack.json');
const lastName = { value: 0 };
const unique = (prefix: string): string => `${prefix}_${(lastName.value += 1)}`;

beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

type Settings = { env?: Record<string, string>; answer?: string | null; stackPath?: string };

/** Runs one command line as a terminal would; `answer` is what the person types. */
async function billing(args: string[], { env, answer = null, stackPath = noStack }: Settings = {}) {
  const printed: string[] = [];
  const said: string[] = [];
  const asked: string[] = [];
  const code = await runBilling(args, {
    print: (text) => printed.push(text),
    say: (text) => said.push(text),
    ask: (question) => {
      asked.push(question);
      return Promise.resolve(answer);
    },
    env: env ?? { BILLING_URL: api.url, BILLING_ADMIN_KEY: testAdmin.secret },
    stackPath,
  });
  const out = printed.join('\n');
  return { code, out, said: said.join('\n'), asked, json: () => JSON.parse(out) as Record<string, unknown> };
}

async function newProject(): Promise<string> {
  const project = unique('shop');
  expect((await billing(['projects', 'create', project, '--name', 'Shop'])).code).toBe(0);
  return project;
}

test('--dry-run shows what a command would change, asks nothing and changes nothing', async () => {
  const project = await newProject();
  const product = ['products', 'create', project, 'pro', '--name', 'Pro', '--features', 'export'];
  const triedProduct = await billing([...product, '--dry-run', '--json']);
  expect(triedProduct.said).toBe('');
  expect(triedProduct.json()).toEqual({
    changes: [
      { path: 'feature_codes', before: null, after: ['export'] },
      { path: 'name', before: null, after: 'Pro' },
    ],
    affected_users: 0,
  });
  expect((await billing(['products', 'list', project, '--json'])).json()).toMatchObject({ data: [] });
  const key = String((await billing(['keys', 'create', project, '--json'])).json()['key_id']);
  const revoked = await billing(['keys', 'revoke', project, key, '--dry-run']);
  expect([revoked.code, revoked.asked]).toEqual([0, []]);
  expect(revoked.out).toMatch(/prefix +proj_\w+ → none/);
  const [left] = (await billing(['keys', 'list', project, '--json'])).json()['data'] as object[];
  expect(left).toMatchObject({ key_id: key, revoked_at: null });
});

test('a project is set up, used and explained from the command line alone', async () => {
  const project = await newProject();
  await billing(['products', 'create', project, 'pro', '--name', 'Pro', '--features', 'export, seats']);
  const stripePrice = unique('price');
  const price = ['--product', 'pro', '--stripe-price', stripePrice, '--amount', '1900', '--currency', 'USD'];
  expect((await billing(['prices', 'create', project, ...price, '--interval', 'month'])).out).toContain(
    '1900 usd',
  );
  const corrected = ['--amount', '2900', '--interval-count', '3', '--json'];
  expect((await billing(['prices', 'update', project, stripePrice, ...corrected])).json()).toMatchObject({
    amount: 2900,
    interval: 'month',
    interval_count: 3,
  });
  expect((await billing(['prices', 'list', project])).out).toContain('3 × month');
  expect((await billing(['prices', 'delete', project, stripePrice, '--yes'])).out).toMatch(/deleted +yes/);
  expect((await billing(['prices', 'list', project])).out).toContain('no price yet');
  const products = await billing(['products', 'list', project]);
  expect(products.out).toBe('PRODUCT  NAME  ARCHIVED  FEATURES\npro      Pro   no        export, seats');

  const granted = await billing([
    'grant',
    project,
    'ann',
    'export',
    '--reason',
    'test',
    '--to',
    '2099-01-01',
    '--json',
  ]);
  expect(granted.json()).toMatchObject({ user_id: 'ann', valid_to: '2099-01-01T00:00:00.000Z' });
  const explained = await billing(['explain', project, 'ann']);
  expect(explained.out).toMatch(/export +2099-01-01T00:00:00.000Z +1 +manual/);
  expect(explained.out).toContain('in_force');

  const grantId = String(granted.json()['grant_id']);
  expect((await billing(['revoke', grantId, '--reason', 'over', '--yes'])).code).toBe(0);
  expect((await billing(['explain', project, 'ann'])).out).toMatch(
    /No entitlement is in force[\s\S]*revoked/,
  );
  expect((await billing(['explain', project, 'nobody'])).out).toContain('This user is unknown');
  const again = await billing(['revoke', grantId, '--reason', 'over', '--yes']);
  expect(again).toMatchObject({ code: 1 });
  expect(again.said).toContain('already_revoked');
});

test('the defaults of a project’s checkouts are set, shown and taken away', async () => {
  const project = await newProject();
  const update = (...args: string[]) => billing(['projects', 'update', project, ...args, '--json']);
  const set = [
    'locale=de',
    'trial_days=14',
    'automatic_tax=true',
    'promotion_code=2026',
    'adjustable_quantity=1-10',
  ].flatMap((one) => ['--checkout-default', one]);
  expect((await update(...set, '--portal-configuration', 'bpc_1')).json()).toMatchObject({
    checkout_defaults: {
      locale: 'de',
      trial_days: 14,
      automatic_tax: true,
      promotion_code: '2026',
      adjustable_quantity: { min: 1, max: 10 },
    },
    portal_configuration: 'bpc_1',
  });
  const { out } = await billing(['projects', 'show', project]);
  expect(out).toMatch(/checkout adjustable_quantity +1 to 10\n/);
  expect(out).toMatch(/checkout locale +de\n[\s\S]*portal configuration +bpc_1\n/);
  const taken = await update('--checkout-default', 'locale=default', '--portal-configuration', '');
  expect(taken.json()).toMatchObject({ portal_configuration: null });
  expect(taken.json()['checkout_defaults']).not.toHaveProperty('locale');
  const tried = await update('--checkout-default', 'trial_days=7', '--dry-run');
  expect(tried.json()).toMatchObject({ changes: [{ before: expect.anything(), after: expect.anything() }] });
});

test('explain leaves no working key behind', async () => {
  const project = await newProject();
  await billing(['explain', project, 'ann']);
  const keys = await billing(['keys', 'list', project, '--json']);
  expect(keys.json()['data']).toMatchObject([
    { name: 'billing explain', scopes: ['read'], revoked_at: expect.any(String) },
  ]);
});

test('a key is shown once, works, and is revoked', async () => {
  const project = await newProject();
  const made = await billing(['keys', 'create', project, '--name', 'backend', '--scopes', 'read', '--json']);
  const key = made.json() as { api_key: string; key_id: string };
  const ask = () => billing(['explain', project, 'ann', '--api-key', key.api_key, '--json']);
  expect((await ask()).code).toBe(0);
  expect((await billing(['keys', 'revoke', project, key.key_id, '--yes'])).out).toContain('revoked');
  const refused = await ask();
  expect(refused).toMatchObject({ code: 2, out: '' });
  expect(refused.said).toContain('The project key is not valid: it is unknown, revoked or expired.');
  expect(refused.said).not.toMatch(/admin|BILLING_ADMIN_KEY/i);
  expect(refused.said).not.toContain(key.api_key);
  expect((await billing(['keys', 'list', project])).out).not.toContain(key.api_key);
});

test.each([
  { from: 'the command line', args: ['--api-key', 'proj_wrong'], env: {} },
  { from: 'the environment', args: [], env: { BILLING_API_KEY: 'proj_wrong' } },
])('a wrong project key of $from: the error names it, not the admin secret', async ({ args, env }) => {
  const project = await newProject();
  const { code, said } = await billing(['explain', project, 'ann', ...args], {
    env: { BILLING_URL: api.url, BILLING_ADMIN_KEY: testAdmin.secret, ...env },
  });
  expect(code).toBe(2);
  expect(said).toMatch(/^The project key is not valid.*--api-key, BILLING_API_KEY/);
  expect(said).not.toMatch(/admin|proj_wrong/i);
});

test.each([
  ['revoke a grant', ['revoke', 'grant_1', '--reason', 'r']],
  ['revoke a key', ['keys', 'revoke', 'p', 'key_1']],
  ['map a customer', ['customers', 'map', 'p', 'ann', 'cus_1']],
  ['switch a project off', ['projects', 'update', 'p', '--deactivate']],
  ['change a policy', ['projects', 'update', 'p', '--policy', 'unpaid=allow']],
  ['change features', ['products', 'update', 'p', 'pro', '--features', 'a']],
  ['replay for real', ['replay', 'evt_1', '--apply']],
  ['reconcile for real', ['reconcile', '--apply']],
])('%s needs a confirmation', async (_case, args) => {
  const unattended = await billing(args);
  expect(unattended).toMatchObject({ code: 2, out: '' });
  expect(unattended.said).toContain('Pass --yes');
  const refused = await billing(args, { answer: 'no' });
  expect(refused).toMatchObject({ code: 2, said: 'Not confirmed: nothing was changed.' });
  expect(refused.asked[0]).toContain('Type yes');
});

test('a person can confirm at the terminal', async () => {
  const project = await newProject();
  const changed = await billing(['projects', 'update', project, '--deactivate'], { answer: 'yes' });
  expect(changed.out).toMatch(/active +no/);
});

test('lists are read by cursor, or whole', async () => {
  const project = await newProject();
  for (const product of ['a', 'b', 'c'])
    await billing(['products', 'create', project, product, '--name', product, '--features', 'f']);
  const first = await billing(['products', 'list', project, '--limit', '2']);
  expect(first.out.split('\n')).toHaveLength(3);
  const cursor = /--cursor (\S+)/.exec(first.said)?.[1] ?? '';
  const rest = await billing(['products', 'list', project, '--limit', '2', '--cursor', cursor]);
  expect(rest.out).toMatch(/^PRODUCT.*\nc /);
  const all = await billing(['products', 'list', project, '--limit', '1', '--all', '--json']);
  expect(all.json()['data']).toHaveLength(3);
});

test('empty lists have a message, and filters reach the API', async () => {
  expect((await billing(['events', '--status', 'failed'])).out).toBe('No event is like that.');
  expect((await billing(['quarantine'])).out).toBe('Nothing is quarantined.');
  expect((await billing(['duplicates'])).out).toBe('Nobody has a subscription twice.');
  const project = await newProject();
  const audit = await billing(['audit', '--project', project, '--json']);
  expect(audit.json()['data']).toMatchObject([{ actor: testAdmin.name, action: 'project.create' }]);
});

test.each([
  ['an unknown command', ['nothing'], 'unknown command'],
  ['an unknown option', ['events', '--staus', 'failed'], '--staus'],
  ['a missing argument', ['explain', 'shop'], "missing required argument 'user'"],
  ['a missing reason', ['grant', 'p', 'u', 'f'], '--reason'],
  ['no date', ['grant', 'p', 'u', 'f', '--reason', 'r', '--to', 'tomorrow'], '2026-12-31'],
  ['a wrong status', ['events', '--status', 'lost'], 'quarantined'],
  ['an unknown policy', ['projects', 'update', 'p', '--policy', 'x=1'], 'key=value'],
  ['an unknown default', ['projects', 'update', 'p', '--checkout-default', 'x=1'], 'key=value'],
  ['a default that is none', ['projects', 'update', 'p', '--checkout-default', 'trial_days=0'], 'key=value'],
  ['nothing to change', ['projects', 'update', 'p'], 'Say what to change'],
  ['two ways to replay', ['replay', 'evt_1', '--object', 'sub_1'], 'either one event'],
])('%s is refused, and the error says what to do', async (_case, args, message) => {
  const { code, said, out } = await billing(args);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(said).toContain(message);
});

test('every command has help without a service', async () => {
  const settings = { env: {} };
  const whole = await billing(['--help'], settings);
  expect(whole).toMatchObject({ code: 0 });
  expect(whole.out).toContain('Exit codes');
  // Without --silent npm's banner comes before the JSON.
  expect(whole.out).toMatch(/npm run --silent billing -- .*--json/);
  expect(whole.out).not.toMatch(/npm run billing -- .*--json/);
  const names = [...whole.out.matchAll(/^ {2}([a-z]+)(?: \[| )/gm)].map(([, name = '']) => name);
  expect(names).toEqual(expect.arrayContaining(['projects', 'explain', 'replay', 'reconcile']));
  for (const name of names) expect(await billing([name, '--help'], settings)).toMatchObject({ code: 0 });
});

test('a refusal of the API is printed with its fields; ids are encoded', async () => {
  const refused = await billing(['keys', 'create', 'no/such project', '--expires', '2001-01-01']);
  expect(refused.code).toBe(1);
  expect(refused.said).toContain('expires_at: must be in the future');
  const unknown = await billing(['projects', 'show', '../projects']);
  expect(unknown.said).toContain('project_not_found');
});

test('a wrong secret, a wrong address and a missing service have different errors', async () => {
  const wrong = await billing(['projects', 'list'], {
    env: { BILLING_URL: api.url, BILLING_ADMIN_KEY: 'wrong' },
  });
  expect(wrong).toMatchObject({ code: 2 });
  expect(wrong.said).toContain('without the name before the colon');
  expect(wrong.said).not.toContain('wrong');
  const half = await billing(['projects', 'list'], { env: { BILLING_URL: api.url } });
  expect(half).toMatchObject({ code: 2 });
  const none = await billing(['projects', 'list'], { env: {} });
  expect(none).toMatchObject({ code: 2 });
  expect(none.said).toContain('npm start');
  const proxy = await createTestProxy({ port: 1 });
  await proxy.setMode('refuse');
  const away = await billing(['projects', 'list'], {
    env: { BILLING_URL: proxy.urlFor(api.url), BILLING_ADMIN_KEY: 'secret' },
  });
  await proxy.close();
  expect(away).toMatchObject({ code: 3 });
});

test('the local stack is found by stack.json', async () => {
  const stackPath = join(tmpdir(), `billing-stack-${process.pid}.json`);
  writeFileSync(stackPath, JSON.stringify({ api_url: api.url, admin_api_key: testAdmin.secret }));
  const found = await billing(['projects', 'list'], { env: {}, stackPath });
  rmSync(stackPath);
  expect(found).toMatchObject({ code: 0 });
});
