import { openSession, saveSample, takeSampleSlot } from '@billing/store';
import { startTestApi, testAdmin } from '../../../api/src/testing/start-test-api.test-support.ts';
import type { TestApi } from '../../../api/src/testing/start-test-api.test-support.ts';
import { runBilling } from './run-billing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

async function billing(...args: string[]) {
  const printed: string[] = [];
  const code = await runBilling(args, {
    print: (text) => printed.push(text),
    say: () => undefined,
    ask: () => Promise.resolve(null),
    env: { BILLING_URL: api.url, BILLING_ADMIN_KEY: testAdmin.secret },
    stackPath: '/nowhere/stack.json',
  });
  return { code, out: printed.join('\n') };
}

test('who is signed in is listed, and signed out', async () => {
  expect((await billing('sessions', 'list')).out).toBe('Nobody is signed in.');
  const digest = new TextEncoder().encode('of the test');
  const { id } = await openSession(api.deps.database, { digest, name: testAdmin.name, now: Date.now() });
  expect((await billing('sessions', 'list')).out).toMatch(new RegExp(`${id} +${testAdmin.name} `));
  expect((await billing('sessions', 'revoke', id)).code).toBe(2);
  expect((await billing('sessions', 'revoke', id, '--dry-run')).out).toMatch(/name +tester → none/);
  expect(await billing('sessions', 'revoke', id, '--yes')).toMatchObject({ code: 0 });
  expect((await billing('sessions', 'revoke', id, '--yes')).code).toBe(1);
  expect((await billing('names')).out).toMatch(/tester +admin +all projects/);
});

test('the overview says what needs somebody, samples how it was', async () => {
  const { out } = await billing('overview');
  expect(out).toMatch(/workers +0/);
  expect(out).toMatch(/page +no_worker +No worker runs/);
  expect((await billing('samples')).out).toBe('No sample is of that time.');
  const at = Math.floor(Date.now() / 10_000) * 10_000 - 10_000;
  await takeSampleSlot(api.deps.database, at);
  const events = { applied: 7, stale: 0, ignored: 0, quarantined: 0, failed: 0 };
  const queue = { name: 'stripe-events', waiting: 4, active: 1, delayed: 0, failed: 0, oldest_seconds: 1.5 };
  await saveSample(api.deps.database, { at, queues: [queue], events, stripeReads: null });
  expect((await billing('samples')).out).toMatch(/Z +4 +1 +1\.5 +7 +0/);
  expect(JSON.parse((await billing('samples', '--json')).out)).toMatchObject({ step_seconds: 10 });
});
