import { createServer } from 'node:http';
import { once } from 'node:events';
import { browserPath } from '@billing/testing/browser';
import { waitFor } from '@billing/testing';
import { uniqueId } from '../../apps/api/src/testing/start-commerce.test-support.ts';
import { byLabel, startConsole, untilQuiet } from './console.test-support.ts';
import type { ConsoleSystem, OpenPage } from './console.test-support.ts';

const describeWithBrowser = browserPath === undefined ? describe.skip : describe;

let system: ConsoleSystem;

/** Presses a button and what the dialog then asks to confirm; gives back what it says at the end. */
async function press({ page }: OpenPage, name: string, ...steps: string[]): Promise<string> {
  await page.getByRole('button', { name, exact: true }).first().click();
  const dialog = page.getByRole('dialog');
  for (const step of steps) await dialog.getByRole('button', { name: step, exact: true }).click();
  await dialog.getByText('Done', { exact: true }).waitFor();
  return dialog.innerText();
}

describeWithBrowser('daily work', () => {
  beforeAll(async () => {
    system = await startConsole();
  }, 180_000);
  afterAll(() => system.close());

  test('an event is found, tried and replayed; a run is followed to its end', async () => {
    const { projectId, apiKey } = await system.createProject();
    const price = await system.sell(projectId);
    const userId = uniqueId('user');
    const { body } = await system
      .checkout(apiKey, system.order(price.priceId, { user_id: userId }))
      .expect(200);
    await system.pay(body.session_id);
    await system.awaitFeatures(apiKey, userId, ['premium']);
    const opened = await system.open();
    const { page, go, reports } = opened;
    await go('/events?type=customer.subscription.created');
    await page.getByRole('link', { name: /^evt_/ }).first().click();
    await page.getByRole('heading', { level: 1, name: /^Event evt_/ }).waitFor();
    expect(await press(opened, 'Try a replay', 'Try it')).toMatch(/It would be (applied|stale|ignored)/);
    await page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true }).last().click();
    // It is tried first, and shows what comes out, before anything is kept.
    await page.getByRole('button', { name: 'Replay', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/It would be (applied|stale|ignored)/).waitFor();
    await byLabel(dialog, 'Reason').fill('Case 4711');
    await dialog.getByRole('button', { name: 'Replay it', exact: true }).click();
    await dialog.getByText(/It is (applied|stale|ignored)/).waitFor();
    const { body: log } = await system.admin('get', '/audit?action=event.replay&limit=1').expect(200);
    expect(log.data).toMatchObject([{ reason: 'Case 4711', details: { dry_run: false } }]);

    await go('/runs');
    await press(opened, 'Reconcile', 'Next', 'Start');
    await page.getByRole('link', { name: /Follow the run/ }).click();
    await page.getByRole('heading', { level: 1, name: /^Run run_/ }).waitFor();
    await page.getByText('subscriptions synced').waitFor({ timeout: 30_000 });
    expect(reports).toEqual([]);
  }, 120_000);

  test('an endpoint is pinged; the audit log says by whom; what is sent again arrives', async () => {
    const heard: string[] = [];
    const receiver = createServer((request, response) => {
      heard.push(String(request.headers['webhook-id']));
      request.resume().on('end', () => response.end('ok'));
    }).listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const address = receiver.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { projectId } = await system.createProject();
    const url = `http://127.0.0.1:${port}/hook`;
    const made = await system.admin('post', `/projects/${projectId}/webhook-endpoints`, { url }).expect(201);
    const opened = await system.open();
    const { page, go, reports } = opened;
    try {
      await go(`/projects/${projectId}/webhooks/${made.body.endpoint_id}`);
      expect(await press(opened, 'Ping', 'Ping')).toContain('"status": 200');
      const pinged = heard.length;
      expect(pinged).toBeGreaterThan(0);
      await go(`/audit?project_id=${projectId}&actor=tester`);
      await page.getByRole('cell', { name: /ping/ }).first().waitFor();
      await page.getByRole('button', { name: 'Verify the log' }).click();
      await page.getByText('The log is as it was written').waitFor();

      const grant = { project_id: projectId, user_id: 'u', feature_code: 'premium', reason: 'Test' };
      await system.admin('post', '/grant', grant).expect(201);
      await waitFor(() => heard.length > pinged, { what: 'the message' });
      const message = heard.at(-1) ?? '';
      await go(`/webhook-messages/${message}`);
      await press(opened, 'Resend', 'Next', 'Resend');
      await waitFor(() => heard.filter((id) => id === message).length > 1, { what: 'the message once more' });
      expect(reports).toEqual([]);
    } finally {
      receiver.close();
      receiver.closeAllConnections();
    }
  }, 120_000);

  test('a session is ended by an administrator, and by signing out', async () => {
    const [mine, other] = [await system.open(), await system.open()];
    await mine.go('/access');
    await mine.page.getByRole('button', { name: 'End the session of tester' }).nth(1).waitFor();
    await other.page.getByRole('button', { name: 'Signed in as tester' }).click();
    await other.page.getByRole('menuitem', { name: 'Sign out' }).click();
    await other.page.getByRole('heading', { level: 1, name: 'Billing console' }).waitFor();
    await untilQuiet(mine.page);
    await mine.page
      .getByLabel('Find a user, a Stripe object, an event or a key by its id')
      .fill('cus_nobody');
    await mine.page.keyboard.press('Enter');
    await mine.page.getByText(/Nothing has exactly the id/).waitFor();
    expect([...mine.reports, ...other.reports]).toEqual([]);
  }, 60_000);
});
