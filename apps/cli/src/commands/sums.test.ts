import { createDatabase, sumNextPage } from '@billing/store';
import type { Database } from '@billing/store';
import { createTestDatabase } from '@billing/testing';
import type { TestDatabase } from '@billing/testing';
import { runBilling } from './run-billing.ts';

let place: TestDatabase;
let database: Database;

beforeAll(async () => {
  place = await createTestDatabase();
  database = createDatabase({
    url: place.url,
    poolSize: 1,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 5_000,
  });
  await database.project.create({ data: { id: 'shop', name: 'Shop' } });
});
afterAll(async () => {
  await database.$disconnect();
  await place.drop();
});

async function sums(...args: string[]) {
  const [printed, said]: [string[], string[]] = [[], []];
  const code = await runBilling(['sums', ...args], {
    print: (text) => printed.push(text),
    say: (text) => said.push(text),
    ask: () => Promise.resolve(null),
    env: { DATABASE_URL: place.url },
    stackPath: '/nonexistent/stack.json',
  });
  return { code, out: printed.join('\n'), said: said.join('\n') };
}

test('sums that differ are named, and are right again after a rebuild', async () => {
  expect(await sums('verify')).toMatchObject({ code: 1, said: expect.stringContaining('still being made') });
  await sumNextPage(database);
  expect(await sums('verify')).toMatchObject({ code: 0, out: 'The sums of 1 projects are right.' });
  await place.asOwner(`INSERT INTO public.subscription_sums (project_id, sum_key, status, discount_ends, subscriptions, quantities)
    VALUES ('shop', md5('x')::uuid, 'active', '{}', 1, '{}')`);
  const differing = await sums('verify', '--json');
  expect(differing.code).toBe(1);
  expect(JSON.parse(differing.out)).toEqual({ is_complete: true, projects: 1, differing: ['shop'] });
  expect(await sums('rebuild')).toMatchObject({ code: 0 });
  await sumNextPage(database);
  expect(await sums('verify')).toMatchObject({ code: 0 });
});
