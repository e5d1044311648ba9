import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { browserPath, openBrowser } from '@billing/testing/browser';
import type { Browser, Page } from 'playwright-core';
import { startRunningApi } from './running-api.test-support.ts';
import type { RunningApi } from './running-api.test-support.ts';

const packageRoot = fileURLToPath(new URL('..', import.meta.url));
const compiler = fileURLToPath(new URL('../../../node_modules/.bin/tsc', import.meta.url));
/** Not every machine has a browser. */
const describeWithBrowser = browserPath === undefined ? describe.skip : describe;

/** Compiles the package as its build does, and serves that with an empty page, without a bundler in between. */
async function startSite() {
  const folder = await mkdtemp(join(tmpdir(), 'billing-client-site-'));
  await promisify(execFile)(compiler, ['-p', 'tsconfig.build.json', '--outDir', folder], {
    cwd: packageRoot,
  });
  const server = createServer((request, response) => {
    const name = /^\/sdk\/([\w-]+\.js)$/.exec(request.url ?? '')?.[1];
    response.setHeader('content-type', name === undefined ? 'text/html' : 'text/javascript');
    if (name === undefined) response.end('<!doctype html><title>console</title>');
    else
      readFile(join(folder, name)).then(
        (text) => response.end(text),
        () => response.writeHead(404).end(),
      );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    /** One server, two origins: pages of the first may call the API, those of the second may not. */
    allowed: `http://localhost:${port}`,
    foreign: `http://127.0.0.1:${port}`,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

describeWithBrowser('in a page of a browser', () => {
  let site: Awaited<ReturnType<typeof startSite>>;
  let api: RunningApi;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    site = await startSite();
    api = await startRunningApi({ CORS_ORIGINS: site.allowed });
    browser = await openBrowser();
    page = await browser.newPage();
    await api.grant('granted', 'premium_export');
  }, 120_000);
  beforeEach(async () => {
    await page.goto(site.allowed);
  });
  afterAll(async () => {
    await browser.close();
    await api.stop();
    await site.stop();
  });

  /** What `code` comes to in the page, where `billing` is a client; an error comes as its fields. */
  const inPage = (code: string, options: object = {}): Promise<unknown> => {
    const clientOptions = JSON.stringify({ baseUrl: api.url, apiKey: api.readKey, ...options });
    return page.evaluate(`(async () => {
      const { createBillingClient, isBillingError } = await import('/sdk/index.js');
      const billing = createBillingClient(${clientOptions});
      try {
        return await (${code});
      } catch (error) {
        if (!isBillingError(error)) throw error;
        const { code, status, requestId, errors, retryable } = error;
        return { code, status, requestId, errors, retryable };
      }
    })()`);
  };

  test('answers questions', async () => {
    await expect(inPage(`billing.can('granted', 'premium_export')`)).resolves.toBe(true);
    await expect(inPage(`billing.can('unknown', 'premium_export')`)).resolves.toBe(false);
    await expect(inPage(`billing.batch(['granted', 'unknown'])`)).resolves.toMatchObject({
      results: [{ user_id: 'granted', entitlements: [{ source: 'manual' }] }, { entitlements: [] }],
    });
  });

  test('remembers answers', async () => {
    const asked = inPage(`billing.entitlements('granted').then(() => billing.entitlements('granted'))`, {
      cache: { ttlMs: 60_000 },
    });
    await expect(asked).resolves.toMatchObject({ entitlements: [{ feature_code: 'premium_export' }] });
  });

  test('warns that the key of a page can be copied', async () => {
    const warnings: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'warning') warnings.push(message.text());
    });
    await inPage(`billing.can('granted', 'premium_export')`);
    await inPage(`billing.can('granted', 'premium_export')`);
    expect(warnings).toEqual([expect.stringContaining('everybody who opens it can copy')]);
  });

  test('a key that may do more than read is refused, and the page can read why', async () => {
    const asked = inPage(`billing.entitlements('granted')`, { apiKey: api.apiKey });
    await expect(asked).resolves.toMatchObject({ code: 'insufficient_scope', status: 403 });
  });

  test('errors arrive complete', async () => {
    await expect(inPage(`billing.entitlements(' padded ')`)).resolves.toEqual({
      code: 'invalid_request',
      status: 400,
      requestId: expect.stringMatching(/.+/),
      errors: [{ path: 'user_id', message: expect.any(String) }],
      retryable: false,
    });
    await expect(
      inPage(`billing.can('granted', 'premium_export')`, { apiKey: 'proj_junk' }),
    ).resolves.toMatchObject({ code: 'invalid_api_key', status: 401 });
  });

  test('a page of another origin gets no answer, and no access', async () => {
    await page.goto(site.foreign);
    await expect(inPage(`billing.entitlements('granted')`, { retries: 0 })).resolves.toMatchObject({
      code: 'network_error',
      status: null,
    });
    const denying = { retries: 0, onUnavailable: 'deny' };
    await expect(inPage(`billing.can('granted', 'premium_export')`, denying)).resolves.toBe(false);
  });
});
