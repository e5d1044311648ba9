import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildApps, freePort } from '@billing/testing';
import { importStripe } from './command-line.test-support.ts';
import { shop, startOldAccount } from './import.test-support.ts';

let account: Awaited<ReturnType<typeof startOldAccount>>;
beforeAll(async () => {
  [account] = await Promise.all([startOldAccount(), buildApps()]);
}, 180_000);
afterAll(() => account.close());

const run = (args: string[], env: Record<string, string> = account.environment) => importStripe(args, env);

test('from a drafted mapping to an imported account, on the command line', async () => {
  const pro = await account.price('Pro', { interval: 'month' });
  const ann = await account.customer();
  await account.buy(ann.id, pro.priceId, { mode: 'subscription' });
  const [mapping, customers, state] = ['mapping.json', 'customers.csv', 'state.json'].map((name) =>
    join(account.folder, name),
  );
  const project = ['--project', shop, '--state', String(state)];

  const drafted = await run([...project, '--draft-mapping', String(mapping)]);
  expect(drafted).toMatchObject({ code: 0 });
  expect((await run([...project, '--draft-mapping', String(mapping)])).stderr).toContain('exists already');
  const draft = JSON.parse(readFileSync(String(mapping), 'utf8'));
  expect(draft.products).toMatchObject([{ stripe_product_id: pro.productId, feature_codes: [] }]);
  draft.products[0].feature_codes = ['export'];
  writeFileSync(String(mapping), JSON.stringify(draft));
  writeFileSync(String(customers), `stripe_customer_id,user_id\n${ann.id},ann\n`);

  const files = [...project, '--mapping', String(mapping), '--customers', String(customers)];
  const looked = await run([...files, '--dry-run']);
  expect(looked.stdout).toContain('Dry run: nothing was changed');
  expect(await account.features('ann')).toEqual([]);
  const done = await run(files);
  expect(done).toMatchObject({ code: 0 });
  expect(done.stdout).toMatch(/1 {2}subscriptions imported[\s\S]*Everything could be mapped/);
  expect(await account.features('ann')).toEqual(['export']);
  expect(existsSync(String(state))).toBe(false);
  const again = await run([...files, '--json']);
  expect(JSON.parse(again.stdout)).toMatchObject({
    counts: { subscriptions_there_already: 1 },
    findings: {},
  });
  // Both are among the runs; the dry run wrote nothing.
  const runs = await account.database.run.findMany({ orderBy: { createdAt: 'asc' } });
  expect(runs).toMatchObject([
    { kind: 'import', status: 'done', projectId: shop, requestedBy: 'import:stripe' },
    { kind: 'import', status: 'done', result: { counts: { subscriptions_there_already: 1 } } },
  ]);
}, 120_000);

test('one sentence reports that Postgres is down, or the database is the wrong one', async () => {
  const url = new URL(account.environment.DATABASE_URL);
  url.password = 'not_to_be_shown';
  const wrong = new URL(url);
  wrong.pathname = '/no_such_database';
  url.port = String(await freePort());
  const [away, absent] = await Promise.all(
    [url, wrong].map(({ href }) => run(['--project', shop], { ...account.environment, DATABASE_URL: href })),
  );
  expect(away).toMatchObject({ code: 1, stdout: '' });
  expect(away?.stderr).toBe(
    `Postgres at ${url.host}${url.pathname} does not answer. Check DATABASE_URL and that the server runs, then run the same command again: it goes on where it stopped.\n`,
  );
  expect(absent).toMatchObject({ code: 1, stdout: '' });
  expect(absent?.stderr).toMatch(/^The database at \S+\/no_such_database can't be used \(.+\)\. Check .+\n$/);
  for (const one of [away, absent]) expect(one?.stderr).not.toContain('not_to_be_shown');
}, 120_000);

test('the help names every environment variable', async () => {
  const { stdout } = await run(['--help']);
  for (const name of Object.keys(account.environment)) expect(stdout).toContain(name);
  for (const name of ['CACHE_REDIS_URL', 'QUEUE_PREFIX']) expect(stdout).toContain(name);
}, 120_000);

test('errors are one line, without a stack', async () => {
  const nameless = await run([]);
  expect(nameless).toMatchObject({ code: 1 });
  expect(nameless.stderr).toContain('--project');
  const unset = await run(['--project', shop], { DATABASE_URL: 'postgres://127.0.0.1/none' });
  expect(unset).toMatchObject({ code: 1 });
  expect(unset.stderr).toContain('STRIPE_SECRET_KEY');
  const absent = await run(['--project', shop, '--mapping', join(account.folder, 'absent.json')]);
  expect(absent).toMatchObject({ code: 1 });
  for (const { stderr } of [nameless, unset, absent]) expect(stderr).not.toMatch(/^\s+at /m);
}, 120_000);
