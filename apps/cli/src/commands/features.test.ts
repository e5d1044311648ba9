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
  const said: string[] = [];
  const code = await runBilling(args, {
    print: (text) => printed.push(text),
    say: (text) => said.push(text),
    ask: () => Promise.resolve(null),
    env: { BILLING_URL: api.url, BILLING_ADMIN_KEY: testAdmin.secret },
    stackPath: '/nowhere/stack.json',
  });
  return { code, out: printed.join('\n'), said: said.join('\n') };
}

test('limits and allowances are described, sold, given by hand and explained from the command line', async () => {
  await billing('projects', 'create', 'usage', '--name', 'Usage');
  expect((await billing('features', 'list', 'usage')).out).toContain('all are boolean');
  const calls = ['features', 'create', 'usage', 'api_calls', '--kind', 'metered', '--unit', 'call'];
  expect((await billing(...calls, '--thresholds', '80, 100')).out).toMatch(/thresholds +80, 100/);
  const seats = ['features', 'create', 'usage', 'seats', '--kind', 'limit', '--counted'];
  expect((await billing(...seats, '--dry-run')).out).toMatch(/kind +none → limit/);
  expect((await billing(...seats)).out).toMatch(/counted +yes/);
  expect((await billing('features', 'update', 'usage', 'seats', '--name', 'Seats')).out).toMatch(
    /name +Seats/,
  );
  const meter = await billing(
    'features',
    'update',
    'usage',
    'api_calls',
    '--meter',
    'calls',
    '--report',
    'overage',
  );
  expect(meter.out).toMatch(/meter +calls[\s\S]*reports +overage/);
  expect((await billing('features', 'update', 'usage', 'api_calls', '--meter', '')).out).not.toMatch(
    /overage/,
  );
  expect(await billing('features', 'update', 'usage', 'api_calls', '--report', 'all')).toMatchObject({
    code: 2,
    said: expect.stringContaining('--meter'),
  });
  expect((await billing('features', 'update', 'usage', 'seats', '--name', '')).out).toMatch(/name +–/);
  expect((await billing('features', 'show', 'usage', 'seats')).out).toMatch(/kind +limit/);
  expect((await billing('usage', 'meters', '--project', 'usage')).out).toContain(
    'Stripe was told of all usage.',
  );
  expect((await billing('features', 'list', 'usage')).out).toMatch(
    /api_calls +metered[\s\S]*seats +limit +yes/,
  );

  const settings = JSON.stringify([
    { feature_code: 'api_calls', allowance: 1000, period: 'month' },
    { feature_code: 'seats', limit: 5 },
  ]);
  const product = ['products', 'create', 'usage', 'pro', '--name', 'Pro'];
  expect(await billing(...product)).toMatchObject({ code: 2, said: expect.stringContaining('--settings') });
  expect((await billing(...product, '--settings', '{')).code).toBe(2);
  expect((await billing(...product, '--features', 'export', '--settings', settings)).out).toContain(
    'export, api_calls, seats',
  );
  const more = JSON.stringify([{ feature_code: 'api_calls', allowance: 2000, period: 'month' }]);
  const changed = await billing('products', 'update', 'usage', 'pro', '--settings', more, '--yes');
  expect(changed.out).toContain('"allowance":2000');
  expect(changed.out).not.toContain('seats');

  const grant = ['grant', 'usage', 'ann', 'api_calls', '--reason', 'sorry'];
  expect(await billing(...grant)).toMatchObject({ code: 1, said: expect.stringContaining('amount') });
  expect((await billing(...grant, '--amount', '500', '--to', '2099-01-01')).out).toMatch(/amount +500/);
  expect(
    await billing('grant', 'usage', 'ann', 'seats', '--reason', 'x', '--amount', 'unlimited'),
  ).toMatchObject({ said: '', out: expect.stringMatching(/amount +unlimited/) });
  const adjust = ['usage', 'adjust', 'usage', 'ann', 'api_calls', '--reason', 'sorry', '--quantity'];
  expect((await billing(...adjust, '100', '--dry-run')).said).toBe('');
  expect((await billing(...adjust, '100')).out).toMatch(/used +100[\s\S]*remaining +400/);
  expect((await billing(...adjust, '-40')).out).toMatch(/remaining +440/);
  expect((await billing(...adjust, '0')).code).toBe(2);
  const ofAnn = ['usage', 'ann', 'api_calls'];
  const checked = await billing('usage', 'check', ...ofAnn, '--required', '441');
  expect(checked.out).toMatch(/allowed +no\n(why +insufficient_balance)/);
  expect(checked.out).toMatch(/granted +500\nused +60\n[\s\S]*BY +ID[\s\S]*manual +grant_\w+ .* 440/);
  expect((await billing('usage', 'check', 'usage', 'ann', 'seats')).out).toMatch(/limit +unlimited/);
  expect((await billing('usage', 'check', 'usage', 'ann', 'nothing')).out).toMatch(/why +not_entitled/);
  expect((await billing('usage', 'check', 'nothing', 'ann', 'seats')).said).toContain('project_not_found');
  expect((await billing('usage', 'series', ...ofAnn, '--by', 'month')).out).toMatch(/FROM +USED\n\S+ +60$/);
  expect((await billing('usage', 'series', ...ofAnn, '--to', '2020-01-01')).out).toContain(
    'Nothing was used',
  );
  expect(JSON.parse((await billing('usage', 'series', ...ofAnn, '--json')).out)).toMatchObject({
    data: [{ quantity: 60 }],
  });
  const events = await billing('usage', 'events', ...ofAnn, '--limit', '1');
  expect(events.out).toMatch(/adjustment +record +-40 .* -40 of manual grant_/);
  expect(events.said).toContain('There is more');
  expect((await billing('usage', 'events', ...ofAnn, '--all')).out).toMatch(/ -40 [\s\S]* 100 /);
  expect((await billing('usage', 'refusals', '--project', 'usage')).out).toContain('was refused');
  const { out } = await billing('explain', 'usage', 'ann');
  expect(out).toContain('500 until 2099-01-01T00:00:00.000Z');
  expect(out).toContain('no limit');
  expect(out).toContain('api_calls: 500 (amount)');
});
