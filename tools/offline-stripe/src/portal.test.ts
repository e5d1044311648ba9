import type Stripe from 'stripe';

import { idOf, seed, startOffline, subscribe, type Catalog, type Offline } from './harness.test-support.ts';

let offline: Offline;
let catalog: Catalog;
let subscription: Stripe.Subscription;
beforeEach(async () => {
  offline = await startOffline();
  catalog = await seed(offline.stripe);
  subscription = await subscribe(offline, catalog);
});
afterEach(() => offline.close());

type FlowData = Stripe.BillingPortal.SessionCreateParams.FlowData;

const openPortal = (
  flow: FlowData,
  more: Partial<Stripe.BillingPortal.SessionCreateParams> = {},
): Promise<Stripe.BillingPortal.Session> =>
  offline.stripe.billingPortal.sessions.create({
    customer: catalog.customer.id,
    return_url: 'http://127.0.0.1:9/account',
    flow_data: flow,
    ...more,
  });

async function submit(
  portal: Stripe.BillingPortal.Session,
  fields: Record<string, string> = {},
): Promise<{ status: number; text: string; location: string | null }> {
  const sent = { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' } as const;
  const response = await fetch(portal.url, sent);
  return { status: response.status, text: await response.text(), location: response.headers.get('location') };
}

const home = (portal: Stripe.BillingPortal.Session): string => `/p/session/${portal.id}`;

test('subscription_cancel cancels at the period end and leads back home', async () => {
  const portal = await openPortal({
    type: 'subscription_cancel',
    subscription_cancel: { subscription: subscription.id },
  });
  expect(portal.flow).toMatchObject({
    type: 'subscription_cancel',
    subscription_cancel: { subscription: subscription.id, retention: null },
    after_completion: { type: 'portal_homepage' },
  });
  expect(await (await fetch(portal.url)).text()).toContain('Cancel your subscription');
  expect(await submit(portal)).toMatchObject({ status: 303, location: home(portal) });
  const ending = await offline.stripe.subscriptions.retrieve(subscription.id);
  expect(ending).toMatchObject({
    cancel_at: ending.items.data[0]?.current_period_end,
    cancel_at_period_end: false,
  });
  await expect(
    openPortal({ type: 'subscription_cancel', subscription_cancel: { subscription: subscription.id } }),
  ).rejects.toMatchObject({ statusCode: 400, param: 'flow_data[subscription_cancel][subscription]' });
});

test('payment_method_update gives the customer and their subscriptions another card', async () => {
  const { stripe } = offline;
  const portal = await openPortal({
    type: 'payment_method_update',
    after_completion: { type: 'redirect', redirect: { return_url: 'http://127.0.0.1:9/saved' } },
  });
  const refused = await submit(portal, { card_number: '4000 0000 0000 0002' });
  expect(refused).toMatchObject({ status: 402, text: expect.stringContaining('Your card was declined.') });
  const saved = await submit(portal, { card_number: '4000 0000 0000 0341' });
  expect(saved).toMatchObject({ status: 303, location: 'http://127.0.0.1:9/saved' });
  const customer = await stripe.customers.retrieve(catalog.customer.id, {
    expand: ['invoice_settings.default_payment_method'],
  });
  expect(customer).toMatchObject({
    invoice_settings: { default_payment_method: { card: { last4: '0341' } } },
  });
  const after = await stripe.subscriptions.retrieve(subscription.id, { expand: ['default_payment_method'] });
  expect(after.default_payment_method).toMatchObject({ card: { last4: '0341' } });
});

test('subscription_update switches to a plan that the configuration offers', async () => {
  const { stripe } = offline;
  const configuration = await stripe.billingPortal.configurations.create({
    features: {
      subscription_update: {
        enabled: true,
        default_allowed_updates: ['price'],
        proration_behavior: 'always_invoice',
        products: [{ product: idOf(catalog.yearly.product), prices: [catalog.yearly.id] }],
      },
    },
  });
  const flow: FlowData = {
    type: 'subscription_update',
    subscription_update: { subscription: subscription.id },
    after_completion: { type: 'hosted_confirmation', hosted_confirmation: { custom_message: 'Enjoy <it>' } },
  };
  const portal = await openPortal(flow, { configuration: configuration.id });
  expect(portal.configuration).toBe(configuration.id);
  const shown = await (await fetch(portal.url)).text();
  expect(shown).toContain(catalog.yearly.id);
  expect(shown).not.toContain(`value="${catalog.monthly.id}"`);
  expect((await submit(portal, { price: catalog.monthly.id })).text).toContain('This plan is not offered.');
  expect((await submit(portal, { price: catalog.yearly.id })).text).toContain('Enjoy &lt;it&gt;');
  const after = await stripe.subscriptions.retrieve(subscription.id);
  expect(after.items.data[0]?.price.id).toBe(catalog.yearly.id);
  await expect(
    openPortal({ type: 'payment_method_update' }, { configuration: configuration.id }),
  ).rejects.toMatchObject({ param: 'flow_data[type]' });
});

test('configurations are listed, changed and switched off', async () => {
  const { configurations } = offline.stripe.billingPortal;
  const made = await configurations.create({
    name: 'Only cards',
    features: { payment_method_update: { enabled: true } },
  });
  expect(made).toMatchObject({
    active: true,
    is_default: false,
    features: { payment_method_update: { enabled: true }, subscription_cancel: { enabled: false } },
  });
  await configurations.update(made.id, { active: false });
  expect((await configurations.list({ active: false })).data.map(({ id }) => id)).toEqual([made.id]);
  await expect(
    openPortal({ type: 'payment_method_update' }, { configuration: made.id }),
  ).rejects.toMatchObject({ statusCode: 400, param: 'configuration' });
  expect(await offline.eventTypes()).toEqual(
    expect.arrayContaining(['billing_portal.configuration.created', 'billing_portal.configuration.updated']),
  );
});

test("another customer's subscription is no flow of this one", async () => {
  const other = await offline.stripe.customers.create({});
  await expect(
    openPortal(
      { type: 'subscription_update', subscription_update: { subscription: subscription.id } },
      { customer: other.id },
    ),
  ).rejects.toMatchObject({
    code: 'resource_missing',
    param: 'flow_data[subscription_update][subscription]',
  });
});

test('the portal shows invoices; their pages and PDFs are there, and an open one can be paid', async () => {
  const { stripe } = offline;
  await offline.control(`subscriptions/${subscription.id}/fail_next_payment`, {});
  await offline.control('clock', { to: subscription.items.data[0]?.current_period_end ?? 0 });
  const portal = await stripe.billingPortal.sessions.create({ customer: catalog.customer.id });
  const [late] = (await stripe.invoices.list({ customer: catalog.customer.id, limit: 1 })).data;
  const page = late?.hosted_invoice_url ?? '';
  expect(await (await fetch(portal.url)).text()).toContain(page);
  const pdf = await fetch(late?.invoice_pdf ?? '');
  expect(pdf.headers.get('content-type')).toBe('application/pdf');
  expect((await pdf.text()).slice(0, 5)).toBe('%PDF-');
  const pay = (card: string): Promise<Response> =>
    fetch(`${page}/pay`, { method: 'POST', body: new URLSearchParams({ card_number: card }) });
  expect((await pay('4000000000000341')).status).toBe(402);
  expect(await (await pay('4000002500003155')).text()).toContain('id="invoice-status">paid<');
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('active');
  expect((await fetch(`${offline.url}/i/in_none`)).status).toBe(404);
});

test("a customer's invoices are listed page by page, newest first", async () => {
  const { stripe } = offline;
  for (const name of ['a', 'b', 'c']) {
    await stripe.invoiceItems.create({
      customer: catalog.customer.id,
      amount: 100,
      currency: 'usd',
      description: name,
    });
    const draft = await stripe.invoices.create({
      customer: catalog.customer.id,
      pending_invoice_items_behavior: 'include',
    });
    await stripe.invoices.finalizeInvoice(draft.id ?? '');
  }
  const first = await stripe.invoices.list({ customer: catalog.customer.id, limit: 2 });
  expect(first.has_more).toBe(true);
  const rest = await stripe.invoices.list({
    customer: catalog.customer.id,
    limit: 2,
    starting_after: first.data.at(-1)?.id ?? '',
  });
  expect(rest.has_more).toBe(false);
  const ids = [...first.data, ...rest.data].map(({ id }) => id);
  expect(new Set(ids).size).toBe(4);
  const [open] = first.data;
  expect(await stripe.invoices.voidInvoice(open?.id ?? '')).toMatchObject({ status: 'void' });
  await expect(stripe.invoices.voidInvoice(open?.id ?? '')).rejects.toMatchObject({ statusCode: 400 });
});
