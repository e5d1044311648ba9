import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kill } from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort, waitFor } from '@billing/testing';

type StackFile = {
  api_url: string;
  worker_url: string;
  stripe_url: string;
  project_id: string;
  api_key: string;
  prices: { subscription: string; payment: string };
  pids: Record<'api' | 'worker' | 'stripe' | 'postgres' | 'redis', number>;
};

const root = fileURLToPath(new URL('../', import.meta.url));
/** A separate checkout with its own `.local`: a start in the real one may be running. */
let checkout: string;
const running: ChildProcess[] = [];

beforeAll(async () => {
  await promisify(execFile)('npm', ['run', 'build'], { cwd: root });
  checkout = mkdtempSync(join(tmpdir(), 'checkout-'));
  for (const shared of ['apps', 'packages', 'prisma', 'node_modules', 'package.json'])
    symlinkSync(join(root, shared), join(checkout, shared));
  for (const own of ['dist', 'package.json'])
    cpSync(join(root, 'scripts', own), join(checkout, 'scripts', own), { recursive: true });
}, 180_000);
afterEach(async () => {
  // What a failed test leaves must end in order, or its servers stay.
  for (const child of running.splice(0)) {
    if (child.exitCode === null && child.kill('SIGTERM')) await once(child, 'exit');
  }
});
afterAll(() => rmSync(checkout, { recursive: true, force: true }));

async function ports(): Promise<Record<string, string>> {
  const [api, worker, stripe] = [await freePort(), await freePort(), await freePort()];
  return { PORT: String(api), WORKER_PORT: String(worker), OFFLINE_STRIPE_PORT: String(stripe) };
}

function start(env: Record<string, string>) {
  const child = spawn(process.execPath, [join(checkout, 'tools/local-stack/dist/main.js')], {
    cwd: checkout,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  const exited = once(child, 'exit').then(([code]: unknown[]) => code);
  return { child, exited, output: () => output.join('') };
}

const stackPath = (): string => join(checkout, '.local/stack.json');
const stack = (): StackFile => JSON.parse(readFileSync(stackPath(), 'utf8')) as StackFile;

function isAlive(pid: number): boolean {
  try {
    kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function ask(path: string, body?: object): Promise<Record<string, unknown>> {
  const { api_url: apiUrl, api_key: apiKey } = stack();
  const response = await fetch(apiUrl + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as Record<string, unknown>;
}

const features = async (): Promise<unknown> => (await ask('/api/v1/entitlements?user_id=u'))['entitlements'];

test('brings all up, serves check, buy, check, starts the dead again, and leaves nothing behind', async () => {
  const env = await ports();
  const { child, exited, output } = start(env);
  await waitFor(() => existsSync(stackPath()), { what: 'the stack', timeoutMs: 60_000 });
  const { api_url: apiUrl, worker_url: workerUrl, stripe_url: stripeUrl, prices, pids } = stack();
  expect([apiUrl, workerUrl, stripeUrl]).toEqual(
    ['PORT', 'WORKER_PORT', 'OFFLINE_STRIPE_PORT'].map((name) => `http://127.0.0.1:${env[name]}`),
  );
  expect(Object.keys(stack()).sort()).toEqual([
    'admin_api_key',
    'api_key',
    'api_url',
    'database_url',
    'pids',
    'prices',
    'project_id',
    'redis_url',
    'stripe_url',
    'webhook_secret',
    'worker_url',
  ]);
  await waitFor(() => output().includes(stack().api_key), { what: 'the tour' });

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
  const second = start(await ports());
  expect(await second.exited).toBe(1);
  expect(second.output()).toMatch(
    /^npm start already runs here \(process \d+\): stop it with Ctrl-C first\.\n$/,
  );

  kill(pids.worker, 'SIGKILL');
  await waitFor(() => stack().pids.worker !== pids.worker, { what: 'a new worker', timeoutMs: 20_000 });
  await waitFor(async () => (await fetch(`${workerUrl}/ready`)).ok, {
    what: 'the new worker',
    timeoutMs: 20_000,
  });
  expect(stack().pids).toEqual({ ...pids, worker: expect.any(Number) });

  const all = Object.values(stack().pids);
  expect(all.filter((pid) => !isAlive(pid))).toEqual([]);
  child.kill('SIGINT');
  expect(await exited).toBe(0);
  expect(all.filter(isAlive)).toEqual([]);
  expect(existsSync(stackPath())).toBe(false);
}, 180_000);

test('says in one sentence which port is taken, and how to choose another', async () => {
  const env = await ports();
  const holder = createServer().listen(Number(env['PORT']), '127.0.0.1');
  await once(holder, 'listening');
  const { exited, output } = start(env);
  expect(await exited).toBe(1);
  expect(output()).toBe(
    `Port ${env['PORT']}, for the API, is in use: stop what listens there or set PORT to another port.\n`,
  );
  holder.close();
});

test.each([
  [{ STRIPE_SECRET_KEY: 'sk_live_x' }, /live key/, /sk_live_x/],
  [{ PORT: 'eighty', DATABASE_URL: 'mysql://x:of-mine@y' }, /PORT[^]*DATABASE_URL/, /eighty|of-mine/],
])('refuses %j, and starts nothing', async (bad, names, values) => {
  const { exited, output } = start({ ...(await ports()), ...bad });
  expect(await exited).toBe(1);
  expect(output()).toMatch(names);
  expect(output()).not.toMatch(values);
  expect(existsSync(stackPath())).toBe(false);
});
