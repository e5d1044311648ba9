import { z } from 'zod';

import { seed, startOffline, subscribe, type Catalog, type Offline } from './harness.test-support.ts';
import { routes } from './http/routes.ts';

let offline: Offline;
let catalog: Catalog;
beforeAll(async () => {
  offline = await startOffline();
  catalog = await seed(offline.stripe);
  await subscribe(offline, catalog);
  await subscribe(offline, catalog);
});
afterAll(() => offline.close());

const failure = z.object({
  error: z.object({
    type: z.string(),
    message: z.string(),
    code: z.string().optional(),
    param: z.string().optional(),
  }),
});
const rows = z.object({ data: z.array(z.object({ id: z.string() })), has_more: z.boolean() });

async function call(method: string, path: string, form = ''): Promise<{ status: number; body: unknown }> {
  const isPost = method === 'POST';
  const response = await fetch(`${offline.url}${path}${!isPost && form !== '' ? `?${form}` : ''}`, {
    method,
    headers: {
      authorization: 'Bearer sk_test_offline',
      ...(isPost ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
    },
    ...(isPost ? { body: form } : {}),
  });
  return { status: response.status, body: await response.json() };
}

async function refusal(method: string, path: string, form = '') {
  const { status, body } = await call(method, path, form);
  return { status, ...failure.parse(body).error };
}

const lists = routes.filter(({ method, path }) => {
  const hasOne = routes.some((other) => other.method === 'GET' && other.path === `${path}/:id`);
  return method === 'GET' && hasOne;
});

test.each(routes.map(({ method, path }) => [method, path]))(
  '%s %s refuses a parameter that it does not implement',
  async (method, path) => {
    expect(await refusal(method, path.replace(':id', 'some_id'), 'nonsense=1')).toMatchObject({
      status: 400,
      type: 'invalid_request_error',
      code: 'parameter_unknown',
      param: 'nonsense',
      message: 'Received unknown parameter: nonsense',
    });
  },
);

test.each([
  ['/v1/customers', 'invoice_settings[footer]=x', 'invoice_settings[footer]'],
  ['/v1/customers', 'address[planet]=x', 'address[planet]'],
  ['/v1/prices', 'currency=usd&unit_amount=1&recurring[tiers]=x', 'recurring[tiers]'],
  ['/v1/prices', 'currency=usd&unit_amount=1&tiers[0][x]=1', 'tiers[0][x]'],
  ['/v1/products', 'name=x&default_price_data[colour]=x', 'default_price_data[colour]'],
  ['/v1/checkout/sessions', 'automatic_tax[liability]=x', 'automatic_tax[liability]'],
  ['/v1/checkout/sessions', 'line_items[0][tax_rates][0]=x', 'line_items[0][tax_rates]'],
  ['/v1/checkout/sessions', 'subscription_data[transfer_data][x]=1', 'subscription_data[transfer_data]'],
  ['/v1/checkout/sessions', 'payment_intent_data[on_behalf_of]=x', 'payment_intent_data[on_behalf_of]'],
  ['/v1/subscriptions', 'customer=x&items[0][price]=x&items[0][discounts][0]=x', 'items[0][discounts]'],
  [
    '/v1/subscriptions',
    'trial_settings[end_behavior][x]=1&trial_settings[end_behavior][missing_payment_method]=pause',
    'trial_settings[end_behavior][x]',
  ],
  ['/v1/payment_intents', 'amount=1&currency=usd&shipping[carrier]=x', 'shipping[carrier]'],
])('%s refuses the nested parameter of %s', async (path, form, param) => {
  expect(await refusal('POST', path, form)).toMatchObject({ status: 400, code: 'parameter_unknown', param });
});

test.each([...new Set(routes.filter(({ path }) => path.endsWith('/:id')).map(({ path }) => path))])(
  '%s is no search: that address is unknown',
  async (path) => {
    const address = path.replace(':id', 'search');
    expect(await refusal('GET', address, 'query=x')).toMatchObject({
      status: 404,
      message: expect.stringContaining(`Unrecognized request URL (GET: ${address})`),
    });
  },
);

describe.each(lists.map(({ path }) => [path]))('%s', (path) => {
  test('takes one cursor, not both', async () => {
    const { data } = await offline.stripe.subscriptions.list();
    const subscription = path.endsWith('subscription_items') ? `&subscription=${data[0]?.id}` : '';
    const both = await refusal('GET', path, `starting_after=a&ending_before=b${subscription}`);
    expect(both).toMatchObject({ status: 400, message: expect.stringContaining('Please pass in only one') });
  });
});

test('every list with several rows pages backwards', async () => {
  const walked: string[] = [];
  for (const { path } of lists) {
    if (path.endsWith('subscription_items')) continue;
    const { data } = rows.parse((await call('GET', path)).body);
    const last = data.at(-1);
    if (last === undefined || data.length < 2) continue;
    const back = rows.parse((await call('GET', path, `limit=1&ending_before=${last.id}`)).body);
    expect([path, back.data[0]?.id, back.has_more]).toEqual([path, data.at(-2)?.id, data.length > 2]);
    walked.push(path);
  }
  expect(walked).toEqual(
    expect.arrayContaining(['/v1/prices', '/v1/subscriptions', '/v1/invoices', '/v1/charges', '/v1/events']),
  );
});

test('the lines of a session and of an invoice page both ways', async () => {
  const { stripe } = offline;
  const items = [catalog.monthly, catalog.yearly, catalog.once].map(({ id }) => ({ price: id, quantity: 1 }));
  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    customer: catalog.customer.id,
    line_items: items,
    success_url: 'http://127.0.0.1:9/',
  });
  const all = await stripe.checkout.sessions.listLineItems(session.id);
  const back = await stripe.checkout.sessions.listLineItems(session.id, {
    limit: 1,
    ending_before: all.data[2]?.id ?? '',
  });
  expect(back.data.map(({ id }) => id)).toEqual([all.data[1]?.id]);
  const paid = await offline.control(`checkout/sessions/${session.id}/pay`, {});
  const lines = await stripe.invoices.listLineItems(String(paid['invoice']), { limit: 2 });
  expect([lines.data.length, lines.has_more]).toEqual([2, true]);
});

test.each([
  [
    '/v1/prices',
    'currency=xxx&unit_amount=1',
    { param: 'currency', message: /^Invalid currency: xxx\. Stripe currently supports/ },
  ],
  ['/v1/payment_intents', 'currency=us&amount=1', { param: 'currency', message: /^Invalid currency: us\./ }],
  [
    '/v1/products',
    'name=x&default_price_data[currency]=zzz&default_price_data[unit_amount]=1',
    { param: 'default_price_data[currency]' },
  ],
  [
    '/v1/customers',
    'email=nobody',
    { param: 'email', code: 'email_invalid', message: /^Invalid email address: nobody/ },
  ],
  ['/v1/customers', 'email=a@b', { param: 'email', code: 'email_invalid' }],
  [
    '/v1/checkout/sessions',
    'mode=payment&line_items[0][price]=x&success_url=http://a.b/&customer_email=x y@z.de',
    { param: 'customer_email', code: 'email_invalid' },
  ],
] as const)(
  '%s checks %s',
  async (path, form, { message = /./, ...expected }: { param: string; code?: string; message?: RegExp }) => {
    const refused = await refusal('POST', path, form);
    expect(refused).toMatchObject({ status: 400, ...expected });
    expect(refused.message).toMatch(message);
  },
);

test('a currency is taken in capitals too', async () => {
  const price = await offline.stripe.prices.create({
    currency: 'JPY',
    unit_amount: 1000,
    product_data: { name: 'Pass' },
  });
  expect(price.currency).toBe('jpy');
});
