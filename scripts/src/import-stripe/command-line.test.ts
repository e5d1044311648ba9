import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { shop, startOldAccount } from './import.test-support.ts';

const script = fileURLToPath(new URL('../import-stripe.ts', import.meta.url));
const hooks = new URL('../../../packages/testing/jest/ts-hooks.js', import.meta.url).href;
const register = `data:text/javascript,${encodeURIComponent(`import { register } from 'node:module'; register('${hooks}');`)}`;

let account: Awaited<ReturnType<typeof startOldAccount>>;
let folder: string;
beforeAll(async () => {
  account = await startOldAccount();
  folder = mkdtempSync(join(tmpdir(), 'billing-import-'));
});
afterAll(async () => {
  await account.close();
  rmSync(folder, { recursive: true, force: true });
});

type Finished = { code: number; stdout: string; stderr: string };

/** The command as it is typed, in a process of its own. */
async function importStripe(
  args: string[],
  env: Record<string, string> = account.environment,
): Promise<Finished> {
  const node = ['--no-warnings', '--conditions=@billing/source', '--import', register, script];
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [...node, ...args], {
      env: { PATH: process.env['PATH'], ...env },
      timeout: 60_000,
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    return error as Finished;
  }
}

test('from a drafted mapping to an imported account, on the command line', async () => {
  const pro = await account.price('Pro', { interval: 'month' });
  const ann = await account.customer();
  await account.buy(ann.id, pro.priceId, { mode: 'subscription' });
  const [mapping, customers, state] = ['mapping.json', 'customers.csv', 'state.json'].map((name) =>
    join(folder, name),
  );
  const project = ['--project', shop, '--state', String(state)];

  const drafted = await importStripe([...project, '--draft-mapping', String(mapping)]);
  expect(drafted).toMatchObject({ code: 0 });
  expect((await importStripe([...project, '--draft-mapping', String(mapping)])).stderr).toContain(
    'exists already',
  );
  const draft = JSON.parse(readFileSync(String(mapping), 'utf8'));
  expect(draft.products).toMatchObject([{ stripe_product_id: pro.productId, feature_codes: [] }]);
  draft.products[0].feature_codes = ['export'];
  writeFileSync(String(mapping), JSON.stringify(draft));
  writeFileSync(String(customers), `stripe_customer_id,user_id\n${ann.id},ann\n`);

  const files = [...project, '--mapping', String(mapping), '--customers', String(customers)];
  const looked = await importStripe([...files, '--dry-run']);
  expect(looked.stdout).toContain('Dry run: nothing was changed');
  expect(await account.features('ann')).toEqual([]);
  const done = await importStripe(files);
  expect(done).toMatchObject({ code: 0 });
  expect(done.stdout).toMatch(/1 {2}subscriptions imported[\s\S]*Everything could be mapped/);
  expect(await account.features('ann')).toEqual(['export']);
  expect(existsSync(String(state))).toBe(false);
  const again = await importStripe([...files, '--json']);
  expect(JSON.parse(again.stdout)).toMatchObject({
    counts: { subscriptions_there_already: 1 },
    findings: {},
  });
}, 120_000);

test('what is wrong is said in a line, without a stack', async () => {
  const nameless = await importStripe([]);
  expect(nameless).toMatchObject({ code: 1 });
  expect(nameless.stderr).toContain('--project');
  const unset = await importStripe(['--project', shop], { DATABASE_URL: 'postgres://127.0.0.1/none' });
  expect(unset).toMatchObject({ code: 1 });
  expect(unset.stderr).toContain('STRIPE_SECRET_KEY');
  const absent = await importStripe(['--project', shop, '--mapping', join(folder, 'absent.json')]);
  expect(absent).toMatchObject({ code: 1 });
  for (const { stderr } of [nameless, unset, absent]) expect(stderr).not.toMatch(/^\s+at /m);
}, 120_000);
