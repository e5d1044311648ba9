import { browserPath, openBrowser } from '@billing/testing/browser';
import type { Browser, Page } from 'playwright-core';
import { startTestApi } from '../../testing/start-test-api.test-support.ts';
import type { TestApi } from '../../testing/start-test-api.test-support.ts';
import { endpoints } from '../../app.ts';
import { createOpenApiDocument } from '../create-document.ts';

const describeInBrowser = browserPath === undefined ? describe.skip : describe;

describeInBrowser('the page in a browser', () => {
  let api: TestApi;
  let browser: Browser;
  let page: Page;
  /** Errors in the browser, and requests to other addresses. */
  let complaints: string[];

  beforeAll(async () => {
    api = await startTestApi();
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await api.close();
  });

  beforeEach(async () => {
    complaints = [];
    page = await browser.newPage();
    page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      if (request.url() !== `${api.url}/docs` && !request.url().startsWith('data:'))
        complaints.push(`asked for ${request.url()}`);
    });
    await page.goto(`${api.url}/docs`);
  });
  afterEach(() => page.close());

  const visible = (selector: string) => page.locator(selector).filter({ visible: true });
  const shownCalls = async (): Promise<string[]> => {
    const ids: string[] = await visible('details.call').evaluateAll((calls) => calls.map(({ id }) => id));
    return ids.sort();
  };
  const { webhooks } = createOpenApiDocument(endpoints);
  const told = Object.values(Object(webhooks)).map((one) => String(Object(one).post.operationId));
  const all = [...endpoints.map(({ operationId }) => operationId), ...told].sort();

  test('the search shows the calls that have every word, and all again when it is emptied', async () => {
    expect(await shownCalls()).toEqual(all);
    const search = page.getByLabel('Search');
    await search.fill('repair  COMPARE');
    expect(await shownCalls()).toEqual(['startReconcile']);
    expect(await visible('#contents a').count()).toBe(1);
    expect(await visible('section h2').allTextContents()).toEqual(['Maintenance']);

    await search.fill('customer_exists');
    expect(await shownCalls()).toEqual(['confirmCustomer', 'mapCustomer']);
    expect(await page.locator('#nothing').isVisible()).toBe(false);

    await search.fill('a word that nowhereisfound');
    expect(await shownCalls()).toEqual([]);
    expect(await page.locator('#nothing').isVisible()).toBe(true);

    await page.keyboard.press('Escape');
    expect(await shownCalls()).toEqual(all);
    expect(complaints).toEqual([]);
  });

  test('a slash goes to the search, a link to its call, which opens', async () => {
    await page.keyboard.press('/');
    await page.keyboard.type('promotion_code_not_found');
    expect(await shownCalls()).toEqual(['createCheckout']);
    const call = page.locator('#createCheckout');
    expect(await call.getAttribute('open')).toBeNull();
    await page.locator('#contents a[href="#createCheckout"]').click();
    await call.getByText('Idempotency-Key').first().waitFor();
    expect(await call.getAttribute('open')).not.toBeNull();

    // Also to one that the search has hidden.
    await page.goto(`${api.url}/docs#receiveStripeWebhook`);
    await page.locator('#receiveStripeWebhook').getByText('A thin event').waitFor();
    expect(await shownCalls()).toEqual(all);
    expect(complaints).toEqual([]);
  });

  test('the policy of the page lets no other script run', async () => {
    const ran: unknown = await page.evaluate(`
      const script = document.createElement('script');
      script.textContent = 'globalThis.foreignScriptRan = true';
      document.body.append(script);
      'foreignScriptRan' in globalThis;
    `);
    expect(ran).toBe(false);
    expect(complaints).toEqual([expect.stringContaining('Content Security Policy')]);
  });
});
