import { once } from 'node:events';
import { createServer } from 'node:http';
import { kill } from 'node:process';
import { buildApps, copyCheckout, freePorts, isAlive, waitFor } from '@billing/testing';
import type { Checkout } from '@billing/testing';

let checkout: Checkout;
beforeAll(async () => {
  await buildApps();
  checkout = copyCheckout();
}, 180_000);
// What a failed test leaves must end in order, or its servers stay.
afterEach(() => checkout.stopAll(), 60_000);
afterAll(() => checkout.remove());

async function ask(path: string, body?: object): Promise<Record<string, unknown>> {
  const { api_url: apiUrl, api_key: apiKey } = checkout.stack();
  const response = await fetch(apiUrl + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as Record<string, unknown>;
}

const features = async (): Promise<unknown> => (await ask('/api/v1/entitlements?user_id=u'))['entitlements'];

test('brings all up, serves check, buy, check, restarts a dead process, and leaves nothing behind', async () => {
  const env = await freePorts();
  const started = await checkout.start(env);
  await waitFor(checkout.hasStackFile, { what: 'the stack', timeoutMs: 60_000 });
  const { api_url: apiUrl, worker_url: workerUrl, stripe_url: stripeUrl, prices, pids } = checkout.stack();
  expect([apiUrl, workerUrl, stripeUrl]).toEqual(
    ['PORT', 'WORKER_PORT', 'OFFLINE_STRIPE_PORT'].map((name) => `http://127.0.0.1:${env[name]}`),
  );
  expect(Object.keys(checkout.stack()).sort()).toEqual([
    'admin_api_key',
    'api_key',
    'api_url',
    'console_url',
    'database_url',
    'pids',
    'prices',
    'project_id',
    'redis_url',
    'stripe_url',
    'webhook_secret',
    'worker_url',
  ]);
  await waitFor(() => started.output().includes(checkout.stack().api_key), { what: 'the quickstart' });

  expect(await features()).toEqual([]);
  const { session_id: sessionId } = await ask('/api/v1/checkout/create', {
    user_id: 'u',
    price_id: prices.subscription,
    mode: 'subscription',
    success_url: 'https://shop.example/done',
    cancel_url: 'https://shop.example/',
  });
  const pay = `${stripeUrl}/_offline/checkout/sessions/${String(sessionId)}/pay`;
  expect((await fetch(pay, { method: 'POST' })).status).toBe(200);
  await waitFor(async () => JSON.stringify(await features()).includes('feature_code'), {
    what: 'the purchase',
  });

  // A second one here would take the first one's data.
  const second = await checkout.start(await freePorts());
  expect(await second.exited).toBe(1);
  expect(second.output()).toMatch(
    /^npm start already runs here \(process \d+\): stop it with Ctrl-C first\.\n$/,
  );

  kill(pids.worker, 'SIGKILL');
  await waitFor(() => checkout.stack().pids.worker !== pids.worker, {
    what: 'a new worker',
    timeoutMs: 20_000,
  });
  await waitFor(async () => (await fetch(`${workerUrl}/ready`)).ok, {
    what: 'the new worker',
    timeoutMs: 20_000,
  });
  expect(checkout.stack().pids).toEqual({ ...pids, worker: expect.any(Number) });

  const all = Object.values(checkout.stack().pids);
  expect(all.filter((pid) => !isAlive(pid))).toEqual([]);
  expect(await started.kill('SIGINT')).toBe(0);
  expect(all.filter(isAlive)).toEqual([]);
  expect(checkout.hasStackFile()).toBe(false);
}, 180_000);

test('says in one sentence which port is taken, and how to choose another', async () => {
  const env = await freePorts();
  const holder = createServer().listen(Number(env['PORT']), '127.0.0.1');
  await once(holder, 'listening');
  const refused = await checkout.start(env);
  expect(await refused.exited).toBe(1);
  expect(refused.output()).toBe(
    `Port ${env['PORT']}, for the API, is in use: stop what listens there or set PORT to another port.\n`,
  );
  holder.close();
});

test.each([
  [{ STRIPE_SECRET_KEY: 'sk_live_x' }, /live key/, /sk_live_x/],
  [{ PORT: 'eighty', DATABASE_URL: 'mysql://x:of-mine@y' }, /PORT[^]*DATABASE_URL/, /eighty|of-mine/],
  [
    { DATABASE_URL: 'postgres://x:of-mine@127.0.0.1:1,127.0.0.1:2/y' },
    /^Can't connect to Postgres at 127\.0\.0\.1:1,127\.0\.0\.1:2\/y/,
    /of-mine/,
  ],
])('refuses %j, and starts nothing', async (bad, names, values) => {
  const refused = await checkout.start({ ...(await freePorts()), ...bad });
  expect(await refused.exited).toBe(1);
  expect(refused.output()).toMatch(names);
  expect(refused.output()).not.toMatch(values);
  expect(checkout.hasStackFile()).toBe(false);
});
