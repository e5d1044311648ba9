import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { browserPath, openBrowser } from '@billing/testing/browser';
import type { Browser, Page } from 'playwright-core';

import {
  idOf,
  openCheckout,
  seed,
  startOffline,
  subscribe,
  type Catalog,
  type Offline,
} from './harness.test-support.ts';

let offline: Offline;
let catalog: Catalog;
let browser: Browser;
let page: Page;
let seller: { url: string; close: () => void };

/** The seller's site: an empty page that remembers where it was called, and one that embeds a checkout. */
function startSeller(): Promise<typeof seller> {
  const server = createServer((request, response) => {
    const secret = new URL(request.url ?? '/', 'http://seller').searchParams.get('secret') ?? '';
    response.setHeader('content-type', 'text/html');
    response.end(`<!doctype html><title>Seller</title><div id="checkout"></div>
<script src="${offline.url}/v3/"></script>
<script>
  const secret = ${JSON.stringify(secret)};
  if (secret !== '') {
    Stripe('pk_test_1').createEmbeddedCheckoutPage({ fetchClientSecret: async () => secret })
      .then((checkout) => checkout.mount('#checkout'));
  }
</script>`);
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address() as AddressInfo;
      resolve({
        url: `http://127.0.0.1:${address.port}`,
        close: () => {
          server.close();
          server.closeAllConnections();
        },
      });
    });
  });
}

const describeWithBrowser = browserPath === undefined ? describe.skip : describe;

describeWithBrowser('in a browser', () => {
  beforeAll(async () => {
    offline = await startOffline();
    catalog = await seed(offline.stripe);
    [browser, seller] = await Promise.all([openBrowser(), startSeller()]);
    page = await browser.newPage();
  });
  afterAll(async () => {
    await browser.close();
    seller.close();
    await offline.close();
  });

  test('a payer enters a promotion code and pays less', async () => {
    const coupon = await offline.stripe.coupons.create({ percent_off: 20, duration: 'once' });
    await offline.stripe.promotionCodes.create({
      promotion: { type: 'coupon', coupon: coupon.id },
      code: 'WELCOME',
    });
    const session = await openCheckout(offline, catalog, {
      allow_promotion_codes: true,
      success_url: `${seller.url}/done?session={CHECKOUT_SESSION_ID}`,
    });
    await page.goto(session.url ?? '');
    await page.getByLabel('Promotion code').fill('nope');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByRole('alert').getByText('This code is invalid.').waitFor();
    await page.getByLabel('Promotion code').fill('welcome');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.locator('#promotion-code-applied').waitFor();
    expect(await page.locator('#amount-due').textContent()).toBe('$16.00');
    await page.getByRole('button', { name: 'Pay', exact: true }).click();
    await page.waitForURL(`${seller.url}/done?session=${session.id}`);
    expect(await offline.stripe.checkout.sessions.retrieve(session.id)).toMatchObject({
      status: 'complete',
      amount_total: 1_600,
    });
  });

  test("a checkout is embedded in the seller's page, and leads to return_url", async () => {
    const session = await offline.stripe.checkout.sessions.create({
      mode: 'subscription',
      customer: catalog.customer.id,
      line_items: [
        {
          price: catalog.monthly.id,
          quantity: 1,
          adjustable_quantity: { enabled: true, minimum: 1, maximum: 5 },
        },
      ],
      ui_mode: 'embedded_page',
      return_url: `${seller.url}/back?session={CHECKOUT_SESSION_ID}`,
    });
    await page.goto(`${seller.url}/?secret=${session.client_secret ?? ''}`);
    const frame = page.frameLocator('iframe[name=embedded-checkout]');
    await frame.getByLabel(/^Quantity of/).fill('3');
    await frame.getByLabel('Card number').fill('4000 0000 0000 0002');
    await frame.getByRole('button', { name: 'Pay', exact: true }).click();
    await frame.getByRole('alert').getByText('Your card was declined.').waitFor();
    await frame.getByLabel(/^Quantity of/).fill('3');
    await frame.getByRole('button', { name: 'Pay', exact: true }).click();
    await page.waitForURL(`${seller.url}/back?session=${session.id}`);
    const paid = await offline.stripe.checkout.sessions.retrieve(session.id);
    expect(paid).toMatchObject({ status: 'complete', amount_total: 6_000 });
  });

  test('a change that waits for its payment is paid on the invoice page', async () => {
    const { stripe } = offline;
    const subscription = await subscribe(offline, catalog);
    await offline.control(`subscriptions/${subscription.id}/fail_next_payment`, {});
    const held = await stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]?.id ?? '', price: catalog.yearly.id }],
      proration_behavior: 'always_invoice',
      payment_behavior: 'pending_if_incomplete',
      expand: ['latest_invoice'],
    });
    expect(held.pending_update).not.toBeNull();
    const invoice = await stripe.invoices.retrieve(idOf(held.latest_invoice));
    await page.goto(invoice.hosted_invoice_url ?? '');
    await page.getByRole('button', { name: /^Pay / }).click();
    await page.locator('#invoice-status').getByText('paid').waitFor();
    expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
      pending_update: null,
      items: { data: [{ price: { id: catalog.yearly.id } }] },
    });
  });

  test('the portal saves another card, switches the plan and cancels', async () => {
    const { stripe } = offline;
    const subscription = await subscribe(offline, catalog);
    const open = async (flow: 'payment_method_update' | 'subscription_update' | 'subscription_cancel') => {
      const { url } = await stripe.billingPortal.sessions.create({
        customer: catalog.customer.id,
        flow_data: {
          type: flow,
          ...(flow === 'payment_method_update' ? {} : { [flow]: { subscription: subscription.id } }),
          after_completion: { type: 'redirect', redirect: { return_url: `${seller.url}/${flow}` } },
        },
      });
      await page.goto(url);
    };
    await open('payment_method_update');
    await page.getByLabel('Card number').fill('5555 5555 5555 4444');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.waitForURL(`${seller.url}/payment_method_update`);
    await open('subscription_update');
    await page.getByLabel('Plan').selectOption(catalog.yearly.id);
    await page.getByRole('button', { name: 'Update subscription' }).click();
    await page.waitForURL(`${seller.url}/subscription_update`);
    await open('subscription_cancel');
    await page.getByRole('button', { name: 'Cancel subscription' }).click();
    await page.waitForURL(`${seller.url}/subscription_cancel`);
    const after = await stripe.subscriptions.retrieve(subscription.id, {
      expand: ['default_payment_method'],
    });
    expect(after).toMatchObject({
      default_payment_method: { card: { last4: '4444' } },
      items: { data: [{ price: { id: catalog.yearly.id } }] },
      cancel_at: after.items.data[0]?.current_period_end,
    });
  });
});
