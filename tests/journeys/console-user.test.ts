import { waitFor } from '@billing/testing';
import { browserPath } from '@billing/testing/browser';
import { uniqueId } from '../../apps/api/src/testing/start-commerce.test-support.ts';
import {
  byLabel,
  findViolations,
  signIn,
  startConsole,
  tabTo,
  untilQuiet,
  viewer,
} from './console.test-support.ts';
import type { ConsoleSystem } from './console.test-support.ts';

const describeWithBrowser = browserPath === undefined ? describe.skip : describe;

let system: ConsoleSystem;

/** A payer who was refunded, and so is locked out. */
async function lockedOut() {
  const { projectId, apiKey } = await system.createProject();
  const price = await system.sell(projectId, { interval: 'one_time' });
  const userId = uniqueId('user');
  const order = system.order(price.priceId, { user_id: userId, mode: 'payment' });
  const { body } = await system.checkout(apiKey, order).expect(200);
  await system.pay(body.session_id);
  await system.awaitFeatures(apiKey, userId, ['premium']);
  const { payment_intent: paymentId } = await system.stripe.checkout.sessions.retrieve(body.session_id);
  await system.stripe.refunds.create({ payment_intent: typeof paymentId === 'string' ? paymentId : '' });
  await system.awaitFeatures(apiKey, userId, []);
  return { projectId, apiKey, userId };
}

describeWithBrowser('a user who is locked out', () => {
  beforeAll(async () => {
    system = await startConsole();
  }, 180_000);
  afterAll(() => system.close());

  test('is found and given a day, by keyboard alone', async () => {
    const { apiKey, userId, projectId } = await lockedOut();
    const { page, reports } = await system.open();
    await untilQuiet(page);
    await page.keyboard.press('/');
    await page.keyboard.type(userId);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: `User ${userId}` }).waitFor();
    await untilQuiet(page);
    expect(new URL(page.url()).pathname).toBe(`/console/users/${projectId}/${userId}`);
    expect(await page.title()).toBe(`User ${userId} · Billing console`);
    expect(await page.getByRole('tabpanel').innerText()).toContain(
      'So much was refunded that the policy ends access.',
    );
    expect(await findViolations(page)).toEqual([]);

    await tabTo(page, 'Grant');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    await tabTo(page, 'Feature');
    await page.keyboard.type('premium');
    await tabTo(page, 'What would it change?');
    expect(await findViolations(page)).toEqual([]);
    await page.keyboard.press('Enter');
    await dialog.getByText('Touches 1 user.').waitFor();
    expect(await system.features(apiKey, userId)).toEqual([]);
    await page.keyboard.type('Case 4711');
    expect(await findViolations(page)).toEqual([]);
    await tabTo(page, 'Grant');
    await page.keyboard.press('Enter');
    await dialog.getByText('Done', { exact: true }).waitFor();
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await system.awaitFeatures(apiKey, userId, ['premium']);
    await page.getByRole('table', { name: 'What the user may do now' }).getByText('premium').waitFor();
    const { body } = await system.admin('get', `/audit?project_id=${projectId}&actor=tester&limit=100`);
    expect(body.data).toContainEqual(
      expect.objectContaining({ action: 'grant.create', reason: 'Case 4711', actor: 'tester' }),
    );

    await page.getByRole('button', { name: 'Revoke' }).click();
    await dialog.getByText('Touches 1 user.').waitFor();
    await byLabel(dialog, 'Reason').fill('Paid again');
    await dialog.getByRole('button', { name: 'Revoke' }).click();
    await dialog.getByText('Done', { exact: true }).waitFor();
    await system.awaitFeatures(apiKey, userId, []);
    expect(reports).toEqual([]);
  }, 120_000);

  test('a viewer sees why, and is offered nothing to do', async () => {
    const { userId, projectId } = await lockedOut();
    const { page, reports, go } = await system.open({ as: viewer });
    await go(`/users/${projectId}/${userId}`);
    expect(await page.getByRole('tabpanel').innerText()).toContain('refunded');
    for (const name of ['Grant', 'Assign', 'Erase'])
      expect(await page.getByRole('button', { name }).count()).toBe(0);
    await go('/users/nowhere/nobody');
    await page.getByText(/Nobody has heard of nobody/).waitFor();
    expect(reports).toEqual([]);
  }, 60_000);

  test('what ends the session brings the sign-in, and after it the same page', async () => {
    const { projectId, userId } = await lockedOut();
    const { page, go } = await system.open({ as: viewer });
    const { body } = await system.admin('get', '/sessions').expect(200);
    for (const { session_id: id } of body.data) await system.admin('delete', `/sessions/${id}`).expect(204);
    await waitFor(
      async () => {
        await go(`/users/${projectId}/${userId}`);
        return (await byLabel(page, 'Secret').count()) === 1;
      },
      { what: 'the sign-in' },
    );
    expect(await findViolations(page)).toEqual([]);
    await signIn(page, { ...viewer, secret: 'wrong' });
    await page.getByRole('alert').waitFor();
    await signIn(page, viewer);
    await page.getByRole('heading', { level: 1, name: `User ${userId}` }).waitFor();
  }, 60_000);
});
