import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readJsonFile } from '@billing/platform';
import { waitFor } from '@billing/testing';
import { openBrowser } from '@billing/testing/browser';
import { z } from 'zod';
import { paths } from './paths.ts';

/**
 * `npm run picture`: the picture of the console in the README, from what `npm start` runs here. A user of the demo buys,
 * and the page says what the user may do and why.
 */
const stackFile = z.object({
  api_url: z.string(),
  stripe_url: z.string(),
  api_key: z.string(),
  admin_api_key: z.string(),
  project_id: z.string(),
  prices: z.object({ subscription: z.string() }),
});

const picture = join(paths.root, 'docs/images/console.png');
const userId = 'ada';

const stack = readJsonFile(paths.stack, stackFile);
if (stack === undefined) throw new Error('Start it first: npm start.');
const { api_url: apiUrl } = stack;

async function ask(path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${apiUrl}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${stack?.api_key ?? ''}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return response.json();
}

const features = z.object({ entitlements: z.array(z.unknown()) });
const countOf = async (): Promise<number> =>
  features.parse(await ask(`/api/v1/entitlements?user_id=${userId}`)).entitlements.length;

if ((await countOf()) === 0) {
  const order = { user_id: userId, price_id: stack.prices.subscription, mode: 'subscription' };
  const pages = { success_url: 'https://shop.example/done', cancel_url: 'https://shop.example/' };
  const session = z
    .object({ session_id: z.string() })
    .parse(await ask('/api/v1/checkout/create', { ...order, ...pages }));
  await fetch(`${stack.stripe_url}/_offline/checkout/sessions/${session.session_id}/pay`, { method: 'POST' });
  await waitFor(async () => (await countOf()) > 0, { what: 'what was bought' });
}

const browser = await openBrowser();
const page = await browser.newPage({ viewport: { width: 1280, height: 720 }, reducedMotion: 'reduce' });
await page.goto(`${apiUrl}/console/users/${stack.project_id}/${userId}?tab=why`);
await page.getByLabel(/^Name/).fill('local');
await page.getByLabel(/^Secret/).fill(stack.admin_api_key);
await page.keyboard.press('Enter');
await page.getByRole('heading', { name: `User ${userId}` }).waitFor();
await page.getByText('It is in force.').first().waitFor();
await page.waitForLoadState('networkidle');
mkdirSync(dirname(picture), { recursive: true });
await page.screenshot({ path: picture });
await browser.close();
process.stdout.write(`${picture}\n`);
