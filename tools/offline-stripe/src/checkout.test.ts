import {
  idOf,
  openCheckout,
  seed,
  startOffline,
  until,
  type Catalog,
  type Offline,
} from './harness.test-support.ts';

let offline: Offline;
let catalog: Catalog;
beforeAll(async () => {
  offline = await startOffline();
  catalog = await seed(offline.stripe);
});
afterAll(() => offline.close());

/** Runs something and returns the types of the events it made, oldest first. */
async function eventsOf(run: () => Promise<unknown>): Promise<string[]> {
  const before = (await offline.eventTypes()).length;
  await run();
  return (await offline.eventTypes()).slice(before);
}

test('a paid subscription checkout emits what Stripe emits, signed, and its objects have the current shape', async () => {
  const session = await openCheckout(offline, catalog, {
    metadata: { user_id: 'user_1' },
    client_reference_id: 'user_1',
    subscription_data: { metadata: { user_id: 'user_1' } },
  });
  expect(session.url).toBe(`${offline.url}/c/pay/${session.id}`);
  expect(session).toMatchObject({ status: 'open', payment_status: 'unpaid', subscription: null });

  const types = await eventsOf(() => offline.control(`checkout/sessions/${session.id}/pay`, {}));
  expect(types).toEqual([
    'payment_method.attached',
    'payment_intent.created',
    'payment_intent.succeeded',
    'charge.succeeded',
    'customer.subscription.created',
    'invoice.created',
    'invoice.finalized',
    'invoice.paid',
    'invoice.payment_succeeded',
    'invoice_payment.paid',
    'checkout.session.completed',
  ]);

  const paid = await offline.stripe.checkout.sessions.retrieve(session.id);
  expect(paid).toMatchObject({
    status: 'complete',
    payment_status: 'paid',
    url: null,
    metadata: { user_id: 'user_1' },
  });
  const subscription = await offline.stripe.subscriptions.retrieve(idOf(paid.subscription), {
    expand: ['latest_invoice', 'latest_invoice.payments'],
  });
  expect(subscription).toMatchObject({ status: 'active', metadata: { user_id: 'user_1' } });
  expect(subscription).not.toHaveProperty('current_period_end');
  const [item] = subscription.items.data;
  expect(item?.current_period_end).toBeGreaterThan(item?.current_period_start ?? 0);
  const invoice = subscription.latest_invoice;
  if (typeof invoice === 'string' || invoice === null) throw new Error('latest_invoice is not expanded');
  expect(invoice).toMatchObject({ status: 'paid', amount_paid: 2000, billing_reason: 'subscription_create' });
  expect(invoice.parent?.subscription_details).toMatchObject({
    subscription: subscription.id,
    metadata: { user_id: 'user_1' },
  });
  expect(invoice.payments?.data).toHaveLength(1);

  await until(() => offline.receiver.types().includes('checkout.session.completed'), 'the webhooks arrived');
  await until(() => types.every((type) => offline.receiver.types().includes(type)), 'all types arrived');
  expect(offline.receiver.badSignatures).toBe(0);
});

test('a paid one-time checkout carries its metadata to PaymentIntent and charge', async () => {
  const session = await openCheckout(offline, catalog, {
    mode: 'payment',
    line_items: [{ price: catalog.once.id, quantity: 2 }],
    payment_intent_data: { metadata: { price_id: 'price_ours' } },
  });
  const types = await eventsOf(() => offline.control(`checkout/sessions/${session.id}/pay`, {}));
  expect(types).toEqual([
    'payment_method.attached',
    'payment_intent.created',
    'payment_intent.succeeded',
    'charge.succeeded',
    'checkout.session.completed',
  ]);
  const paid = await offline.stripe.checkout.sessions.retrieve(session.id, {
    expand: ['payment_intent.latest_charge', 'line_items'],
  });
  expect(paid).toMatchObject({
    amount_total: 9800,
    payment_status: 'paid',
    payment_intent: {
      status: 'succeeded',
      metadata: { price_id: 'price_ours' },
      latest_charge: { status: 'succeeded', paid: true, metadata: { price_id: 'price_ours' } },
    },
    line_items: { data: [{ quantity: 2, price: { id: catalog.once.id } }] },
  });
  const lines = await offline.stripe.checkout.sessions.listLineItems(session.id);
  expect(lines.data).toHaveLength(1);
});

test.each([
  [
    'succeeded',
    'paid',
    ['payment_intent.succeeded', 'charge.succeeded', 'checkout.session.async_payment_succeeded'],
  ],
  [
    'failed',
    'unpaid',
    ['charge.failed', 'payment_intent.payment_failed', 'checkout.session.async_payment_failed'],
  ],
] as const)('a delayed payment that has %s', async (outcome, status, expected) => {
  const session = await openCheckout(offline, catalog, {
    mode: 'payment',
    line_items: [{ price: catalog.once.id, quantity: 1 }],
  });
  const first = await eventsOf(() =>
    offline.control(`checkout/sessions/${session.id}/pay`, { payment_status: 'unpaid' }),
  );
  expect(first.slice(-3)).toEqual([
    'charge.pending',
    'payment_intent.processing',
    'checkout.session.completed',
  ]);
  expect(await offline.stripe.checkout.sessions.retrieve(session.id)).toMatchObject({
    status: 'complete',
    payment_status: 'unpaid',
  });
  expect(
    await eventsOf(() => offline.control(`checkout/sessions/${session.id}/settle`, { outcome })),
  ).toEqual(expected);
  expect(await offline.stripe.checkout.sessions.retrieve(session.id)).toMatchObject({
    payment_status: status,
  });
  await expect(offline.control(`checkout/sessions/${session.id}/settle`, { outcome })).rejects.toThrow('400');
});

test('a subscription whose delayed first payment fails becomes past_due', async () => {
  const session = await openCheckout(offline, catalog);
  const paid = await offline.control(`checkout/sessions/${session.id}/pay`, { payment_status: 'unpaid' });
  const id = String(paid['subscription']);
  expect(await offline.stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'active' });
  const types = await eventsOf(() =>
    offline.control(`checkout/sessions/${session.id}/settle`, { outcome: 'failed' }),
  );
  expect(types).toContain('invoice.payment_failed');
  expect(types.at(-1)).toBe('checkout.session.async_payment_failed');
  expect(await offline.stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'past_due' });
});

test('a trial has nothing due and starts trialing', async () => {
  const session = await openCheckout(offline, catalog, { subscription_data: { trial_period_days: 14 } });
  const types = await eventsOf(() => offline.control(`checkout/sessions/${session.id}/pay`, {}));
  expect(types).toContain('invoice.paid');
  expect(types).not.toContain('charge.succeeded');
  const paid = await offline.stripe.checkout.sessions.retrieve(session.id, { expand: ['subscription'] });
  expect(paid).toMatchObject({ payment_status: 'no_payment_required', subscription: { status: 'trialing' } });
});

test('a paid session cannot be paid again, an expired one not at all', async () => {
  const session = await openCheckout(offline, catalog);
  expect((await offline.stripe.checkout.sessions.expire(session.id)).status).toBe('expired');
  await expect(offline.control(`checkout/sessions/${session.id}/pay`, {})).rejects.toThrow('400');
  await expect(offline.stripe.checkout.sessions.expire(session.id)).rejects.toMatchObject({
    statusCode: 400,
  });
});

test('the hosted page shows what is bought, escaped, and its buttons pay and cancel', async () => {
  const session = await openCheckout(offline, catalog);
  const pageUrl = String(session.url);
  const html = await (await fetch(pageUrl)).text();
  expect(html).toContain('Pro &lt;plan&gt;');
  expect(html).toContain('$20.00 per month');
  expect(html).toMatch(/<button[^>]*id="pay"[^>]*>Pay<\/button>/);
  expect(html).toMatch(/<button[^>]*id="cancel"[^>]*>Cancel<\/button>/);
  const canceled = await fetch(`${pageUrl}/cancel`, { method: 'POST', redirect: 'manual' });
  expect([canceled.status, canceled.headers.get('location')]).toEqual([303, 'http://127.0.0.1:9/cancel']);
  const paid = await fetch(pageUrl, { method: 'POST', redirect: 'manual' });
  expect([paid.status, paid.headers.get('location')]).toEqual([
    303,
    `http://127.0.0.1:9/done?session=${session.id}`,
  ]);
  expect((await offline.stripe.checkout.sessions.retrieve(session.id)).status).toBe('complete');
  expect(await (await fetch(pageUrl)).text()).toContain('Already paid');
});
