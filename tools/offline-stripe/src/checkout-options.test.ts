import type Stripe from 'stripe';

import {
  idOf,
  openCheckout,
  seed,
  startOffline,
  type Catalog,
  type Offline,
} from './harness.test-support.ts';

let offline: Offline;
let catalog: Catalog;
beforeEach(async () => {
  offline = await startOffline();
  catalog = await seed(offline.stripe);
});
afterEach(() => offline.close());

const once = (quantity = 1): Partial<Stripe.Checkout.SessionCreateParams> => ({
  mode: 'payment',
  line_items: [{ price: catalog.once.id, quantity }],
});

async function pay(id: string, body: object = {}): Promise<Stripe.Checkout.Session> {
  await offline.control(`checkout/sessions/${id}/pay`, body);
  return offline.stripe.checkout.sessions.retrieve(id);
}

test.each([
  ['at once', 'paid', /^in_/],
  ['later', 'unpaid', /^$/],
])('invoice_creation makes a paid invoice when the money is there %s', async (_when, status, first) => {
  const { stripe } = offline;
  const session = await openCheckout(offline, catalog, {
    ...once(),
    invoice_creation: { enabled: true, invoice_data: { metadata: { order: '7' } } },
  });
  const completed = await pay(session.id, { payment_status: status });
  expect(idOf(completed.invoice)).toMatch(first);
  if (status === 'unpaid')
    await offline.control(`checkout/sessions/${session.id}/settle`, { outcome: 'succeeded' });
  const paid = await stripe.checkout.sessions.retrieve(session.id);
  const invoice = await stripe.invoices.retrieve(idOf(paid.invoice), { expand: ['payments'] });
  expect(invoice).toMatchObject({
    status: 'paid',
    billing_reason: 'manual',
    parent: null,
    amount_paid: 4_900,
    metadata: { order: '7' },
    payments: { data: [{ payment: { payment_intent: paid.payment_intent }, status: 'paid' }] },
  });
});

test('a session that reserves the money is paid when it is captured', async () => {
  const { stripe } = offline;
  const session = await openCheckout(offline, catalog, {
    ...once(),
    payment_intent_data: { capture_method: 'manual', metadata: { a: '1' } },
  });
  const completed = await pay(session.id);
  expect(completed).toMatchObject({ status: 'complete', payment_status: 'unpaid' });
  const intent = idOf(completed.payment_intent);
  expect(await stripe.paymentIntents.retrieve(intent)).toMatchObject({ status: 'requires_capture' });
  await stripe.paymentIntents.capture(intent);
  expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({ payment_status: 'paid' });
});

test('a one-time price beside a recurring one is on the first invoice only', async () => {
  const { stripe } = offline;
  const session = await openCheckout(offline, catalog, {
    line_items: [
      { price: catalog.monthly.id, quantity: 1 },
      { price: catalog.once.id, quantity: 2 },
    ],
  });
  const paid = await pay(session.id);
  expect(paid.amount_total).toBe(2_000 + 9_800);
  const subscription = await stripe.subscriptions.retrieve(idOf(paid.subscription));
  expect(subscription.items.data.map((item) => item.price.id)).toEqual([catalog.monthly.id]);
  expect(await stripe.invoices.retrieve(idOf(paid.invoice))).toMatchObject({
    amount_paid: 2_000 + 9_800,
    lines: {
      data: [
        { amount: 9_800, parent: { invoice_item_details: { subscription: subscription.id } } },
        { amount: 2_000 },
      ],
    },
  });
  await offline.control('clock', { to: subscription.items.data[0]?.current_period_end ?? 0 });
  const renewed = await stripe.subscriptions.retrieve(subscription.id, { expand: ['latest_invoice'] });
  expect(renewed.latest_invoice).toMatchObject({ amount_paid: 2_000 });
});

test('the payer adjusts a quantity and adds what is offered besides', async () => {
  const { stripe } = offline;
  const extra = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 100,
    product_data: { name: 'Extra' },
  });
  const session = await openCheckout(offline, catalog, {
    mode: 'payment',
    line_items: [
      {
        price: catalog.once.id,
        quantity: 1,
        adjustable_quantity: { enabled: true, minimum: 1, maximum: 5 },
      },
    ],
    optional_items: [{ price: extra.id, quantity: 1 }],
  });
  const choose = (quantity: number): object => ({
    line_items: [
      { price: catalog.once.id, quantity },
      { price: extra.id, quantity: 1 },
    ],
  });
  await expect(pay(session.id, choose(6))).rejects.toThrow('does not let the payer choose 6');
  const paid = await pay(session.id, choose(3));
  expect(paid.amount_total).toBe(3 * 4_900 + 100);
  const { data } = await stripe.checkout.sessions.listLineItems(session.id);
  expect(data.map((line) => [line.price?.id, line.quantity])).toEqual([
    [catalog.once.id, 3],
    [extra.id, 1],
  ]);
});

test('a coupon takes its share off a one-time purchase', async () => {
  const coupon = await offline.stripe.coupons.create({
    amount_off: 1_000,
    currency: 'usd',
    max_redemptions: 1,
  });
  const session = await openCheckout(offline, catalog, { ...once(2), discounts: [{ coupon: coupon.id }] });
  expect(session).toMatchObject({
    amount_subtotal: 9_800,
    amount_total: 8_800,
    total_details: { amount_discount: 1_000 },
  });
  const paid = await pay(session.id);
  const intent = await offline.stripe.paymentIntents.retrieve(idOf(paid.payment_intent));
  expect(intent.amount_received).toBe(8_800);
  await expect(
    openCheckout(offline, catalog, { ...once(), discounts: [{ coupon: coupon.id }] }),
  ).rejects.toMatchObject({ code: 'coupon_expired' });
});

test("a subscription's checkout takes up the customer's credit", async () => {
  await offline.stripe.customers.update(catalog.customer.id, { balance: -500 });
  const paid = await pay((await openCheckout(offline, catalog)).id);
  const invoice = await offline.stripe.invoices.retrieve(idOf(paid.invoice), { expand: ['payments'] });
  expect(invoice).toMatchObject({
    total: 2_000,
    amount_paid: 1_500,
    payments: { data: [{ amount_paid: 1_500 }] },
  });
});
