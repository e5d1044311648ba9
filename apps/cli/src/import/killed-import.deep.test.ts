import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildApps, waitFor } from '@billing/testing';
import { importStripe, startImport } from './command-line.test-support.ts';
import { shop, startOldAccount } from './import.test-support.ts';

let account: Awaited<ReturnType<typeof startOldAccount>>;
beforeAll(async () => {
  [account] = await Promise.all([startOldAccount(), buildApps()]);
}, 180_000);
afterAll(() => account.close());

test('a command that is killed goes on at its next page, though Stripe fails as it begins', async () => {
  const customers = Array.from({ length: 150 }, (_, index) => `user_${index}`);
  for (const user of customers) await account.customer({ user_id: user });
  account.front.forget();
  const statePath = join(account.folder, 'state.json');
  const typed = ['--project', shop, '--state', statePath, '--json'];

  account.front.interfere(({ path, query }) =>
    path === '/v1/customers' && query.has('starting_after') ? 'silence' : null,
  );
  const killed = startImport(typed, account.environment);
  await waitFor(() => account.front.pagesOf('/v1/customers').length === 2, {
    what: 'the second page',
    timeoutMs: 90_000,
  });
  killed.kill();
  expect(await killed.finished).toMatchObject({ code: null, stdout: '' });
  const kept = JSON.parse(readFileSync(statePath, 'utf8'));
  expect(kept).toMatchObject({ phase: 'customers', done: 100 });
  expect(await account.database.customer.count()).toBe(100);

  account.front.interfere(() => null);
  account.front.forget();
  await account.control('/faults', { mode: '500', path: '/v1/account', times: 2 });
  const { code, stdout, stderr } = await importStripe(typed, account.environment);
  expect(stderr).toContain('Going on where the last run stopped (customers, 100 done');
  expect(code).toBe(0);
  expect(JSON.parse(stdout).counts).toMatchObject({ customers_seen: 150, customers_mapped: 150 });
  expect(account.front.pagesOf('/v1/customers')).toEqual([kept.cursor]);
  expect(await account.database.customer.count()).toBe(150);
  expect(existsSync(statePath)).toBe(false);
}, 240_000);
