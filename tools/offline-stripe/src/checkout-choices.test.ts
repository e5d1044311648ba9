import type Stripe from 'stripe';

import { idOf, seed, startOffline, type Catalog, type Offline } from './harness.test-support.ts';

const hour = 3_600;
const returnUrl = 'http://127.0.0.1:9/back?session={CHECKOUT_SESSION_ID}';
let offline: Offline;
let catalog: Catalog;
beforeAll(async () => {
  offline = await startOffline();
  catalog = await seed(offline.stripe);
});
afterAll(() => offline.close());

type SessionParams = Partial<Stripe.Checkout.SessionCreateParams>;
type Left = 'success_url' | 'cancel_url' | 'customer';

function open(more: SessionParams, without: Left[] = []): Promise<Stripe.Checkout.Session> {
  const params: Stripe.Checkout.SessionCreateParams = {
    mode: 'subscription',
    customer: catalog.customer.id,
    line_items: [{ price: catalog.monthly.id, quantity: 1 }],
    success_url: 'http://127.0.0.1:9/done?session={CHECKOUT_SESSION_ID}',
    cancel_url: 'http://127.0.0.1:9/cancel',
    ...more,
  };
  for (const name of without) delete params[name];
  return offline.stripe.checkout.sessions.create(params);
}

const onlyReturn: Left[] = ['success_url', 'cancel_url'];

/** Fills in the form of a session's page. */
async function submit(
  session: Stripe.Checkout.Session,
  fields: Record<string, string>,
): Promise<{ status: number; text: string; location: string | null }> {
  const page = session.url ?? `${offline.url}/c/embed/${session.client_secret ?? ''}`;
  const response = await fetch(page, {
    method: 'POST',
    body: new URLSearchParams(fields),
    redirect: 'manual',
  });
  return { status: response.status, text: await response.text(), location: response.headers.get('location') };
}

const retrieve = (session: Stripe.Checkout.Session): Promise<Stripe.Checkout.Session> =>
  offline.stripe.checkout.sessions.retrieve(session.id);

test('the payer types a promotion code on the page, takes it back, types it again and pays less', async () => {
  const coupon = await offline.stripe.coupons.create({ percent_off: 50, duration: 'once' });
  await offline.stripe.promotionCodes.create({
    promotion: { type: 'coupon', coupon: coupon.id },
    code: 'HALF',
  });
  const session = await open({ allow_promotion_codes: true });
  expect(session.allow_promotion_codes).toBe(true);
  const wrong = await submit(session, { action: 'apply_promotion_code', promotion_code: 'NONE' });
  expect(wrong).toMatchObject({ status: 402, text: expect.stringContaining('This code is invalid.') });
  await submit(session, { action: 'apply_promotion_code', promotion_code: 'half' });
  expect((await retrieve(session)).amount_total).toBe(1_000);
  const removed = await submit(session, { action: 'remove_promotion_code' });
  expect(removed.text).toContain('id="amount-due">$20.00<');
  const applied = await submit(session, { action: 'apply_promotion_code', promotion_code: 'Half' });
  expect(applied.text).toContain('id="amount-due">$10.00<');
  expect((await submit(session, { action: 'pay' })).location).toContain('/done?session=cs_test_');
  const paid = await retrieve(session);
  expect(await offline.stripe.invoices.retrieve(idOf(paid.invoice))).toMatchObject({ amount_paid: 1_000 });
});

test('a session without allow_promotion_codes takes none', async () => {
  const refused = await submit(await open({}), { action: 'apply_promotion_code', promotion_code: 'HALF' });
  expect(refused.text).toContain('This session takes no promotion codes.');
});

test('a declined card is told on the page, and leaves the session open for another', async () => {
  const session = await open({});
  const customers = (await offline.stripe.customers.list({ limit: 100 })).data.length;
  const declined = await submit(session, { action: 'pay', card_number: '4000 0000 0000 0002' });
  expect(declined).toMatchObject({ status: 402, text: expect.stringContaining('Your card was declined.') });
  expect((await retrieve(session)).status).toBe('open');
  expect((await offline.stripe.customers.list({ limit: 100 })).data).toHaveLength(customers);
  await submit(session, { action: 'pay', card_number: '4000 0000 0000 0341' });
  const { subscription } = await retrieve(session);
  expect(subscription).toBeNull();
  expect((await submit(session, { action: 'pay' })).status).toBe(303);
});

test('an embedded page has a client secret in place of a url, and leads to return_url', async () => {
  const session = await open({ ui_mode: 'embedded_page', return_url: returnUrl }, onlyReturn);
  expect(session).toMatchObject({
    ui_mode: 'embedded_page',
    url: null,
    success_url: null,
    return_url: returnUrl,
    redirect_on_completion: 'always',
  });
  expect(session.client_secret).toMatch(new RegExp(`^${session.id}_secret_`));
  expect((await fetch(`${offline.url}/c/pay/${session.id}`)).status).toBe(404);
  expect((await fetch(`${offline.url}/c/embed/${session.id}_secret_guessed`)).status).toBe(404);
  const done = await submit(session, { action: 'pay' });
  expect(done.text).toContain(`"returnUrl":"http://127.0.0.1:9/back?session=${session.id}"`);
  expect((await retrieve(session)).status).toBe('complete');
});

const wrongPlaces: [string, SessionParams, object, Left[]?][] = [
  ['hosted without success_url', {}, { code: 'parameter_missing', param: 'success_url' }, ['success_url']],
  ['hosted with return_url', { return_url: returnUrl }, { param: 'return_url' }],
  [
    'embedded with success_url',
    { ui_mode: 'embedded_page', return_url: returnUrl },
    { param: 'success_url' },
  ],
  [
    'embedded without return_url',
    { ui_mode: 'embedded_page' },
    { code: 'parameter_missing', param: 'return_url' },
    onlyReturn,
  ],
  [
    'customer_update without customer',
    { customer_update: { address: 'auto' } },
    { param: 'customer_update' },
    ['customer'],
  ],
  [
    'taxes without an address',
    { automatic_tax: { enabled: true } },
    { code: 'customer_tax_location_invalid' },
  ],
  ['tax ids that cannot be saved', { tax_id_collection: { enabled: true } }, { param: 'tax_id_collection' }],
  [
    'a trial that ends too soon',
    { subscription_data: { trial_end: Math.floor(Date.now() / 1000) + hour } },
    { param: 'subscription_data[trial_end]' },
  ],
  [
    'two kinds of trial',
    { subscription_data: { trial_end: Math.floor(Date.now() / 1000) + 90 * hour, trial_period_days: 3 } },
    { param: 'subscription_data[trial_end]' },
  ],
  ['a language that nobody speaks', { locale: 'xx' }, { param: 'locale' }],
  ['an expiry in a minute', { expires_at: Math.floor(Date.now() / 1000) + 60 }, { param: 'expires_at' }],
  [
    'an expiry in two days',
    { expires_at: Math.floor(Date.now() / 1000) + 48 * hour },
    { param: 'expires_at' },
  ],
];
test.each(wrongPlaces.map(([name, ...row]) => ({ name, row })))('$name is refused', async ({ row }) => {
  const [more, error, without] = row;
  await expect(open(more, without)).rejects.toMatchObject({ statusCode: 400, ...error });
});

test('taxes, address, tax ID and language are asked for, and saved as customer_update allows', async () => {
  const { stripe } = offline;
  const customer = await stripe.customers.create({ email: 'tax@example.com', name: 'Old' });
  const session = await open({
    customer: customer.id,
    automatic_tax: { enabled: true },
    tax_id_collection: { enabled: true },
    customer_update: { address: 'auto', name: 'auto' },
    billing_address_collection: 'required',
    locale: 'de',
  });
  expect(session).toMatchObject({
    automatic_tax: { enabled: true, status: 'requires_location_inputs' },
    tax_id_collection: { enabled: true, required: 'never' },
    billing_address_collection: 'required',
    locale: 'de',
  });
  await submit(session, {
    action: 'pay',
    name: 'Ada',
    line1: 'Weg 1',
    country: 'de',
    postal_code: '10115',
    tax_id: 'DE123456789',
  });
  const paid = await retrieve(session);
  expect(paid).toMatchObject({
    automatic_tax: { enabled: true, status: 'complete' },
    customer_details: {
      name: 'Ada',
      address: { country: 'DE', line1: 'Weg 1', postal_code: '10115' },
      tax_ids: [{ type: 'eu_vat', value: 'DE123456789' }],
    },
  });
  expect(await stripe.customers.retrieve(customer.id)).toMatchObject({
    name: 'Ada',
    address: { country: 'DE' },
  });
  expect(await stripe.subscriptions.retrieve(idOf(paid.subscription))).toMatchObject({
    automatic_tax: { enabled: true },
  });
});

test('plans, a metered price and a one-time item are sold together', async () => {
  const { stripe } = offline;
  const meter = await stripe.billing.meters.create({
    display_name: 'Calls',
    event_name: `calls_${String(Date.now())}`,
    default_aggregation: { formula: 'sum' },
  });
  const metered = await stripe.prices.create({
    product_data: { name: 'Calls' },
    currency: 'usd',
    unit_amount: 3,
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
  });
  const session = await open({
    line_items: [
      {
        price: catalog.monthly.id,
        quantity: 2,
        adjustable_quantity: { enabled: true, minimum: 1, maximum: 9 },
      },
      { price: metered.id },
      { price: catalog.once.id, quantity: 1 },
    ],
  });
  expect(session.amount_total).toBe(4_000 + 4_900);
  const lines = await stripe.checkout.sessions.listLineItems(session.id);
  expect(lines.data.map(({ quantity }) => quantity)).toEqual([2, null, 1]);
  const shown = await (await fetch(session.url ?? '')).text();
  expect(shown).toContain(`name="quantity ${catalog.monthly.id}" value="2" min="1" max="9"`);
  expect(shown).toContain('by usage');
  await submit(session, { action: 'pay', [`quantity ${catalog.monthly.id}`]: '5' });
  const paid = await retrieve(session);
  expect(paid.amount_total).toBe(10_000 + 4_900);
  const subscription = await stripe.subscriptions.retrieve(idOf(paid.subscription));
  expect(subscription.items.data.map(({ price, quantity }) => [price.id, quantity])).toEqual([
    [catalog.monthly.id, 5],
    [metered.id, undefined],
  ]);
});

test('an expired session can be neither paid nor expired again', async () => {
  const now = Number((await offline.control('clock'))['now']);
  const session = await open({ expires_at: now + hour });
  expect(await offline.stripe.checkout.sessions.expire(session.id)).toMatchObject({
    status: 'expired',
    url: null,
  });
  expect((await fetch(session.url ?? '', { method: 'POST' })).status).toBe(410);
  await expect(offline.stripe.checkout.sessions.expire(session.id)).rejects.toMatchObject({
    statusCode: 400,
  });
  const late = await open({ expires_at: now + hour });
  await offline.advance(hour);
  expect((await retrieve(late)).status).toBe('expired');
});
