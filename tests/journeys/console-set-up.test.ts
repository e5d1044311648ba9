import { browserPath } from '@billing/testing/browser';
import type { Page } from 'playwright-core';
import request from 'supertest';
import { uniqueId } from '../../apps/api/src/testing/start-commerce.test-support.ts';
import { byLabel, findViolations, startConsole, untilQuiet } from './console.test-support.ts';
import type { ConsoleSystem } from './console.test-support.ts';

const describeWithBrowser = browserPath === undefined ? describe.skip : describe;

let system: ConsoleSystem;

type Work = {
  open: string;
  /** Codes of features that the form gets a row for. */
  add?: readonly string[];
  fill?: Record<string, string>;
  choose?: Record<string, string>;
  shows: RegExp;
  confirm: string;
};

/** An action from its button to the end; gives back what the dialog says at the end. */
async function act(
  page: Page,
  { open, add = [], fill = {}, choose = {}, shows, confirm }: Work,
): Promise<string> {
  await page.getByRole('button', { name: open, exact: true }).first().click();
  const dialog = page.getByRole('dialog');
  for (const code of add) {
    await dialog.getByRole('button', { name: 'Add a feature' }).click();
    await byLabel(dialog, 'Feature').last().fill(code);
    await page.keyboard.press('Tab');
  }
  for (const [label, text] of Object.entries(fill)) await byLabel(dialog, label).fill(text);
  for (const [label, option] of Object.entries(choose)) {
    await dialog.getByRole('combobox', { name: label }).click();
    await page.getByRole('option', { name: option }).click();
  }
  await dialog.getByRole('button', { name: 'What would it change?' }).click();
  await dialog.getByText(shows).waitFor();
  expect(await findViolations(page)).toEqual([]);
  await dialog.getByRole('button', { name: confirm, exact: true }).click();
  await dialog.getByText('Done', { exact: true }).waitFor();
  const said = await dialog.innerText();
  await dialog.getByRole('button', { name: 'Close', exact: true }).last().click();
  await dialog.waitFor({ state: 'detached' });
  return said;
}

describeWithBrowser('a product', () => {
  beforeAll(async () => {
    system = await startConsole();
  }, 180_000);
  afterAll(() => system.close());

  test('is set up: project, key, product, price; a change says whom it touches', async () => {
    const projectId = uniqueId('shop');
    const { page, reports, go } = await system.open();
    await go('/projects');
    const noUser = /Touches no user/;
    await act(page, {
      open: 'New project',
      fill: { Id: projectId, Name: 'Shop' },
      shows: noUser,
      confirm: 'New project',
    });
    await page.getByRole('link', { name: projectId }).click();
    await page.getByRole('heading', { level: 1, name: `Project ${projectId}` }).waitFor();
    await untilQuiet(page);
    const said = await act(page, {
      open: 'New key',
      fill: { Name: 'Backend' },
      shows: noUser,
      confirm: 'Make the key',
    });
    const [apiKey = ''] = /\b\w+_[\w-]{20,}\S*/.exec(said) ?? [];
    const check = (user: string) =>
      request(system.url)
        .get('/api/v1/entitlements')
        .query({ user_id: user })
        .set('authorization', `Bearer ${apiKey}`);
    await check('user_1').expect(200);

    await go(`/projects/${projectId}/catalog`);
    await act(page, {
      open: 'New product',
      add: ['premium'],
      fill: { Id: 'pro', Name: 'Pro' },
      shows: noUser,
      confirm: 'New product',
    });
    const stripePrice = await system.stripe.prices.create({
      currency: 'usd',
      unit_amount: 900,
      recurring: { interval: 'month' },
      product_data: { name: 'Pro' },
    });
    await go(`/projects/${projectId}/catalog?tab=prices`);
    await act(page, {
      open: 'Map a price',
      fill: { 'Price of Stripe': stripePrice.id, 'Sold as the product': 'pro', Id: 'monthly' },
      shows: noUser,
      confirm: 'Map a price',
    });
    const { body } = await system
      .checkout(apiKey, system.order('monthly', { user_id: 'user_1' }))
      .expect(200);
    await system.pay(body.session_id);
    await system.awaitFeatures(apiKey, 'user_1', ['premium']);

    await go(`/projects/${projectId}/catalog?tab=features`);
    await act(page, {
      open: 'New feature',
      fill: { Code: 'seats' },
      choose: { Kind: 'A limit, such as seats' },
      shows: noUser,
      confirm: 'New feature',
    });
    await go(`/projects/${projectId}/catalog`);
    await act(page, {
      open: 'Change pro',
      add: ['export', 'seats'],
      fill: { Limit: '5' },
      shows: /Touches 1 user\./,
      confirm: 'Change',
    });
    await system.awaitFeatures(apiKey, 'user_1', ['export', 'premium', 'seats']);
    const { body: pro } = await system.admin('get', `/projects/${projectId}/products/pro`).expect(200);
    expect(pro.features).toEqual([{ feature_code: 'seats', limit: 5, per_unit: false, add_on: false }]);

    await go(`/projects/${projectId}`);
    const entersCode = 'The buyer may enter a promotion code.';
    await act(page, {
      open: 'Change the checkout',
      fill: { 'Days of trial': '14' },
      choose: { 'Field for promotion codes': entersCode },
      shows: noUser,
      confirm: 'Change',
    });
    await page.getByRole('cell', { name: entersCode }).waitFor();
    const { body: project } = await system.admin('get', `/projects/${projectId}`).expect(200);
    expect(project.checkout_defaults).toEqual({ allow_promotion_codes: true, trial_days: 14 });
    expect(reports).toEqual([]);
  }, 180_000);

  test('a payment in quarantine is given to its user', async () => {
    const { projectId, apiKey } = await system.createProject();
    const price = await system.sell(projectId);
    const customer = await system.stripe.customers.create({});
    const method = await system.stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id });
    await system.stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.stripePriceId }],
      default_payment_method: method.id,
    });
    const { page, reports, go } = await system.open({ width: 360 });
    await go('/quarantine');
    const map = page.getByRole('button', { name: `Map ${customer.id}` }).first();
    await map.waitFor();
    await act(page, {
      open: `Map ${customer.id}`,
      fill: { Project: projectId, User: 'guest_1' },
      shows: /Touches 1 user\./,
      confirm: 'Map',
    });
    await system.awaitFeatures(apiKey, 'guest_1', ['premium']);
    expect(reports).toEqual([]);
  }, 120_000);
});
