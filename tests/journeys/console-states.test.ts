import { browserPath } from '@billing/testing/browser';
import type { Page } from 'playwright-core';
import { findViolations, limited, signIn, startConsole, untilQuiet } from './console.test-support.ts';
import { testAdmin } from '../../apps/api/src/testing/start-test-api.test-support.ts';
import type { ConsoleSystem } from './console.test-support.ts';

const describeWithBrowser = browserPath === undefined ? describe.skip : describe;

let system: ConsoleSystem;

async function endAllSessions(): Promise<void> {
  const { body } = await system.admin('get', '/sessions?limit=100').expect(200);
  for (const { session_id: id } of body.data) await system.admin('delete', `/sessions/${id}`).expect(204);
}

const signInPage = (page: Page) => page.getByRole('heading', { level: 1, name: 'Billing console' });

/** The API does not come to answer calls of this path: what is before it refuses them. */
const refuse = (page: Page, path: string, { status, after }: { status: number; after: string }) =>
  page.route(`**${path}`, (route) =>
    route.fulfill({
      status,
      headers: { 'retry-after': after, 'content-type': 'application/problem+json' },
      body: JSON.stringify({ title: 'Refused', status, detail: 'Ask again later.', code: 'refused' }),
    }),
  );

describeWithBrowser('the console', () => {
  beforeAll(async () => {
    system = await startConsole();
  }, 180_000);
  afterAll(() => system.close());

  test('says that a session has ended, whatever asked, and goes on at the same page', async () => {
    const { page, reports, go } = await system.open();
    await go('/audit');
    // Only what is pressed asks again.
    await page.route(/admin\/audit(\?|$)/, (route) => route.abort());
    await endAllSessions();
    await page.getByRole('button', { name: 'Verify the log' }).click();
    await page.getByText('The session has ended').waitFor();
    expect(await findViolations(page)).toEqual([]);
    await page.unrouteAll();
    await signIn(page, testAdmin);
    await page.getByRole('heading', { level: 1, name: 'Audit' }).waitFor();
    await untilQuiet(page);

    await go('/sold?tab=purchases');
    await page.route(/admin\/purchases(?!.*limit=)/, (route) => route.abort());
    await endAllSessions();
    await page.getByRole('button', { name: 'Save as CSV' }).click();
    await page.getByText('The session has ended').waitFor();
    expect(reports).toEqual([]);
  }, 60_000);

  test('signs out from a session that has ended; a sign-out that fails is said', async () => {
    const { page, reports, go } = await system.open();
    await go('/access');
    const signOut = async () => {
      await page.getByRole('button', { name: 'Signed in as tester' }).click();
      await page.getByRole('menuitem', { name: 'Sign out' }).click();
    };
    await refuse(page, '/console/session', { status: 503, after: '1' });
    await signOut();
    await page.getByRole('dialog', { name: 'Not signed out' }).getByText('Ask again later.').waitFor();
    expect(await findViolations(page)).toEqual([]);
    await page.unroute('**/console/session');
    await endAllSessions();
    await page.getByRole('button', { name: 'Try again' }).click();
    await signInPage(page).waitFor();
    expect(reports).toEqual([]);
  }, 60_000);

  test('waits as long as it is asked to, shows why, and keeps what it knew', async () => {
    const { page, reports, go } = await system.open();
    await refuse(page, '/api/v1/admin/overview', { status: 429, after: '30' });
    await go('/');
    const alert = page.getByRole('alert').filter({ hasText: 'Ask again later.' });
    await alert.waitFor();
    expect(await alert.innerText()).toContain('Ask again in 30 s.');
    expect(await findViolations(page)).toEqual([]);
    await page.unroute('**/api/v1/admin/overview');
    await alert.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('Jobs in the queues').waitFor();
    expect(reports).toEqual([]);
  }, 60_000);

  test('offers a name of one project what it may do there, and nothing else', async () => {
    const { projectId } = limited;
    await system.admin('post', '/projects', { project_id: projectId, name: 'Shop' }).expect(201);
    const grant = { project_id: projectId, user_id: 'u', feature_code: 'premium', reason: 'Test' };
    await system.admin('post', '/grant', grant).expect(201);
    const { page, reports, go } = await system.open({ as: limited });
    const offered = (name: string) => page.getByRole('button', { name, exact: true }).count();
    await go(`/users/${projectId}/u`);
    expect([await offered('Grant'), await offered('Map a customer'), await offered('Assign')]).toEqual([
      1, 1, 0,
    ]);
    await go('/runs');
    expect(await offered('Replay many')).toBe(0);
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'Reconcile' }).click();
    for (const name of ['Next', 'Start']) await dialog.getByRole('button', { name, exact: true }).click();
    await dialog.getByText('Done', { exact: true }).waitFor();
    expect(reports).toEqual([]);
  }, 60_000);

  test('has nothing behind a closed menu that the keyboard leads to', async () => {
    const { page } = await system.open({ width: 360 });
    const isInMenu = "document.activeElement?.closest('nav[aria-label=Pages]') !== null";
    const found: boolean[] = [];
    for (let presses = 0; presses < 20; presses += 1) {
      await page.keyboard.press('Tab');
      found.push(await page.evaluate<boolean>(isInMenu));
    }
    expect(found).not.toContain(true);
    await page.getByRole('button', { name: 'Menu' }).click();
    await page.getByRole('link', { name: 'Quarantine' }).click();
    await page.getByRole('heading', { level: 1, name: 'Quarantine' }).waitFor();
  }, 60_000);
});
