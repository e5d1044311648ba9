import type Stripe from 'stripe';

import { startOffline, type Offline } from './harness.test-support.ts';

let offline: Offline;
beforeAll(async () => {
  offline = await startOffline();
});
afterAll(() => offline.close());

test('default_price_data makes the price of a new product', async () => {
  const { stripe } = offline;
  const product = await stripe.products.create({
    name: 'Pro',
    default_price_data: {
      currency: 'eur',
      unit_amount: 900,
      recurring: { interval: 'month', interval_count: 3 },
      tax_behavior: 'inclusive',
      metadata: { tier: 'pro' },
    },
    expand: ['default_price'],
  });
  expect(product.default_price).toMatchObject({
    object: 'price',
    product: product.id,
    currency: 'eur',
    unit_amount: 900,
    recurring: { interval: 'month', interval_count: 3 },
    tax_behavior: 'inclusive',
    metadata: { tier: 'pro' },
  });
  expect((await stripe.prices.list({ product: product.id })).data).toHaveLength(1);
  expect((await offline.eventTypes()).slice(-2)).toEqual(['product.created', 'price.created']);
  const [event] = (await stripe.events.list({ type: 'product.created' })).data;
  expect(event?.data.object).toMatchObject({ default_price: expect.stringMatching(/^price_/) });
});

test('default_price_data that is wrong leaves no product', async () => {
  const wrong = { name: 'Half', default_price_data: { currency: 'eur' } };
  await expect(offline.stripe.products.create(wrong)).rejects.toMatchObject({
    statusCode: 400,
    param: 'default_price_data[unit_amount]',
  });
  const { data } = await offline.stripe.products.list({ limit: 100 });
  expect(data.map(({ name }) => name)).not.toContain('Half');
});

test('a default price belongs to its product', async () => {
  const { stripe } = offline;
  const other = await stripe.prices.create({ currency: 'usd', unit_amount: 1, product_data: { name: 'x' } });
  const product = await stripe.products.create({ name: 'y' });
  const wrong = stripe.products.update(product.id, { default_price: other.id });
  await expect(wrong).rejects.toMatchObject({ param: 'default_price' });
});

test('a lookup key names one price until it is transferred', async () => {
  const { stripe } = offline;
  const fields = { currency: 'usd', unit_amount: 1, product_data: { name: 'x' }, lookup_key: 'pro' };
  const first = await stripe.prices.create(fields);
  await expect(stripe.prices.create(fields)).rejects.toMatchObject({ param: 'lookup_key' });
  const second = await stripe.prices.create({ ...fields, transfer_lookup_key: true });
  const found = await stripe.prices.list({ lookup_keys: ['pro'] });
  expect(found.data.map(({ id }) => id)).toEqual([second.id]);
  expect(await stripe.prices.retrieve(first.id)).toMatchObject({ lookup_key: null });
});

test('a tiered price has no amount; its tiers are shown where asked for; it is not sold here', async () => {
  const { stripe } = offline;
  const params: Stripe.PriceCreateParams = {
    product_data: { name: 'Calls' },
    currency: 'usd',
    recurring: { interval: 'month' },
    billing_scheme: 'tiered',
    tiers_mode: 'graduated',
    tiers: [
      { up_to: 10, unit_amount: 0 },
      { up_to: 'inf', unit_amount: 5, flat_amount: 100 },
    ],
  };
  const price = await stripe.prices.create(params);
  expect(price).toMatchObject({ billing_scheme: 'tiered', tiers_mode: 'graduated', unit_amount: null });
  expect(price.tiers).toBeUndefined();
  const whole = await stripe.prices.retrieve(price.id, { expand: ['tiers'] });
  expect(whole.tiers).toMatchObject([
    { up_to: 10, unit_amount: 0 },
    { up_to: null, unit_amount: 5, flat_amount: 100 },
  ]);
  const customer = await stripe.customers.create({});
  await expect(
    stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] }),
  ).rejects.toMatchObject({ statusCode: 400, param: 'items[0][price]' });
  await expect(
    stripe.prices.create({ ...params, tiers: [{ up_to: 10, unit_amount: 1 }] }),
  ).rejects.toMatchObject({
    param: 'tiers',
  });
});
