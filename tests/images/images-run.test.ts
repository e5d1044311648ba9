import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { stripeEvent, subscriptionObject, waitFor } from '@billing/testing';
import { startProcesses } from '../observability/processes.test-support.ts';
import type { Processes } from '../observability/processes.test-support.ts';
import { createContainer } from './image-process.test-support.ts';
import type { Container } from './image-process.test-support.ts';

// `npm run test:images` builds them first, by `.ci/build-images`.

const secret = (): string => randomBytes(16).toString('hex');
const checkImage = readFileSync(new URL('../../.ci/check-image', import.meta.url), 'utf8');

describe('the images', () => {
  let containers: { api: Container; worker: Container };
  let processes: Processes;
  beforeAll(async () => {
    containers = { api: await createContainer('api'), worker: await createContainer('worker') };
  }, 600_000);
  afterAll(async () => {
    await processes?.close();
    for (const container of Object.values(containers ?? {})) await container.remove();
  }, 120_000);

  it.each(['api', 'worker'] as const)(
    'of %s holds nothing that it should not, and runs Node 24 without root',
    async (app) => {
      const { config, run } = containers[app];
      expect(config).toMatchObject({
        User: '1000:1000',
        Env: expect.arrayContaining(['NODE_ENV=production', `APP=${app}`]),
      });
      expect(await run(['sh', '-c', checkImage])).toBe('');
      expect(await run(['node', '--version'])).toMatch(/^v24\./);
    },
    120_000,
  );

  it('run: both are ready, answer a check from Postgres and from the cache, and apply a webhook', async () => {
    processes = await startProcesses({
      spawn: (app, env) => containers[app].start(env),
      env: {
        STRIPE_SECRET_KEY: `sk_test_${secret()}`,
        STRIPE_WEBHOOK_SECRET: `whsec_${secret()}`,
        ADMIN_API_KEY: `local:${secret()}`,
        ERASURE_KEY: randomBytes(32).toString('base64'),
        WEBHOOK_SECRET_KEY: randomBytes(32).toString('base64'),
        SHUTDOWN_DELAY_SECONDS: '1',
      },
    });
    for (const url of Object.values(processes.urls)) {
      const ready = await fetch(`${url}/ready`);
      expect([url, ready.status, await ready.json()]).toEqual([
        url,
        200,
        expect.objectContaining({ status: 'ready' }),
      ]);
    }
    const { asAdmin, ask, adminHeaders } = processes;
    expect((await asAdmin('/projects', { project_id: 'shop', name: 'Shop' })).status).toBe(201);
    const made = await asAdmin('/projects/shop/api-keys', { name: 'mine' });
    const { api_key: apiKey } = JSON.parse(await made.text());
    const grant = { user_id: 'u', project_id: 'shop', feature_code: 'premium_export', reason: 'a test' };
    expect((await asAdmin('/grant', grant)).status).toBe(201);
    const check = async () => {
      const answer = await ask('/api/v1/entitlements?user_id=u', {
        headers: { authorization: `Bearer ${apiKey}` },
      });
      return { status: answer.status, cache: answer.headers.get('x-cache'), body: await answer.json() };
    };
    const granted = { entitlements: [expect.objectContaining({ feature_code: 'premium_export' })] };
    expect(await check()).toMatchObject({ status: 200, body: granted });
    await waitFor(async () => (await check()).cache === 'hit', { what: 'a hit', timeoutMs: 10_000 });
    const event = stripeEvent({ type: 'customer.subscription.created', object: subscriptionObject() });
    expect((await processes.deliver(JSON.stringify(event))).status).toBe(200);
    const isKnown = async (): Promise<boolean> => {
      const listed = await ask('/api/v1/admin/events', { headers: adminHeaders });
      return (await listed.text()).includes(event.id);
    };
    await waitFor(isKnown, { what: 'the ledger row', timeoutMs: 20_000 });
  }, 300_000);

  it('serve the console, its scripts and styles', async () => {
    const page = await processes.ask('/console/');
    const html = await page.text();
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(html).not.toContain('__CSP_NONCE__');
    const assets = [...html.matchAll(/(?:src|href)="(\/console\/assets\/[^"]+)"/g)].map(
      ([, path = '']) => path,
    );
    expect(assets.length).toBeGreaterThan(1);
    for (const path of assets) expect([path, (await processes.ask(path)).status]).toEqual([path, 200]);
  });

  it('end in order when they are told to', async () => {
    for (const one of [processes.worker, processes.api]) {
      expect([one.name, await one.kill('SIGTERM')]).toEqual([one.name, 0]);
      expect(one.output()).toContain('"event":"shutdown_finished"');
    }
  }, 60_000);
});
