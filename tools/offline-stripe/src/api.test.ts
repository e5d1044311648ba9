import { Stripe } from 'stripe';

import { clientFor, idOf, seed, startOffline, subscribe, type Offline } from './harness.test-support.ts';

let offline: Offline;
beforeEach(async () => {
  offline = await startOffline();
});
afterEach(() => offline.close());

/** A plain call, for what the stripe package would not send or show. */
function call(
  path: string,
  init: { method?: string; headers?: object; body?: string } = {},
): Promise<Response> {
  const authorization = { authorization: 'Bearer sk_test_offline' };
  return fetch(`${offline.url}${path}`, { ...init, headers: { ...authorization, ...init.headers } });
}

describe('errors have the shape of Stripe', () => {
  test('a wrong or missing key', async () => {
    const stripe = new Stripe('sk_live_real', { host: '127.0.0.1', port: offline.port, protocol: 'http' });
    await expect(stripe.customers.list()).rejects.toMatchObject({
      statusCode: 401,
      type: 'StripeAuthenticationError',
    });
    expect((await fetch(`${offline.url}/v1/customers`)).status).toBe(401);
    const basic = Buffer.from('rk_test_restricted:').toString('base64');
    expect((await call('/v1/customers', { headers: { authorization: `Basic ${basic}` } })).status).toBe(200);
  });

  test('an unknown route, object, parameter; a missing or malformed one', async () => {
    const { stripe } = offline;
    const unknown = await call('/v1/nothing');
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
    await expect(stripe.customers.retrieve('cus_none')).rejects.toMatchObject({
      statusCode: 404,
      code: 'resource_missing',
      param: 'id',
      message: "No such customer: 'cus_none'",
    });
    const cases: [string, object][] = [
      ['currency=usd&unit_amount=1&nonsense=1', { code: 'parameter_unknown', param: 'nonsense' }],
      ['unit_amount=1', { code: 'parameter_missing', param: 'currency' }],
      ['currency=usd&unit_amount=many', { code: 'parameter_invalid_integer', param: 'unit_amount' }],
      ['currency=usd&unit_amount=1&recurring[interval]=eon', { param: 'recurring[interval]' }],
    ];
    for (const [body, error] of cases) {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const response = await call('/v1/prices', { method: 'POST', headers, body });
      expect(response.status).toBe(400);
      expect(response.headers.get('request-id')).toMatch(/^req_/);
      expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error', ...error } });
    }
  });

  test('a session for a price that is unknown, archived or of the other mode', async () => {
    const { stripe } = offline;
    const catalog = await seed(stripe);
    const create = (price: string): Promise<unknown> =>
      stripe.checkout.sessions.create({
        mode: 'payment',
        line_items: [{ price, quantity: 1 }],
        success_url: 'http://127.0.0.1:9/done',
      });
    await expect(create('price_none')).rejects.toMatchObject({
      code: 'resource_missing',
      param: 'line_items[0][price]',
    });
    await expect(create(catalog.monthly.id)).rejects.toMatchObject({ param: 'mode' });
    await stripe.prices.update(catalog.once.id, { active: false });
    await expect(create(catalog.once.id)).rejects.toMatchObject({ code: 'price_inactive' });
  });
});

test('lists page both ways, newest first, and filter by created', async () => {
  const { stripe } = offline;
  const made: string[] = [];
  for (let index = 0; index < 5; index += 1)
    made.unshift((await stripe.customers.create({ name: `c${index}` })).id);
  const first = await stripe.customers.list({ limit: 2 });
  expect(first.data.map((row) => row.id)).toEqual(made.slice(0, 2));
  expect(first.has_more).toBe(true);
  const next = await stripe.customers.list({ limit: 3, starting_after: made[1] ?? '' });
  expect(next.data.map((row) => row.id)).toEqual(made.slice(2));
  expect(next.has_more).toBe(false);
  const back = await stripe.customers.list({ limit: 2, ending_before: made[4] ?? '' });
  expect(back.data.map((row) => row.id)).toEqual(made.slice(2, 4));
  expect(back.has_more).toBe(true);
  const all = await stripe.customers.list({ limit: 2 }).autoPagingToArray({ limit: 100 });
  expect(all.map((row) => row.id)).toEqual(made);
  await offline.advance(1_000);
  const late = await stripe.customers.create({ name: 'late' });
  const recent = await stripe.customers.list({ created: { gte: late.created } });
  expect(recent.data.map((row) => row.id)).toEqual([late.id]);
  await expect(stripe.customers.list({ limit: 101 })).rejects.toMatchObject({ statusCode: 400 });
});

test('events are listed by types, and oldest first by ending_before', async () => {
  const { stripe } = offline;
  const catalog = await seed(stripe);
  await subscribe(offline, catalog);
  const some = await stripe.events.list({ types: ['customer.created', 'invoice.paid'] });
  expect(some.data.map((event) => event.type)).toEqual(['invoice.paid', 'customer.created']);
  const oldest = (await stripe.events.list({ limit: 100 })).data.at(-1);
  const upward = await stripe.events
    .list({ limit: 3, ending_before: oldest?.id ?? '' })
    .autoPagingToArray({ limit: 100 });
  const types = await offline.eventTypes();
  expect(upward.map((event) => event.type)).toEqual(types.slice(1));
  expect(await stripe.events.retrieve(oldest?.id ?? '')).toMatchObject({ api_version: '2026-10-28.endive' });
});

test('the payment of an invoice is found both ways', async () => {
  const { stripe } = offline;
  const subscription = await subscribe(offline, await seed(stripe));
  const invoice = idOf(subscription.latest_invoice);
  const [payment] = (await stripe.invoicePayments.list({ invoice })).data;
  const intent = idOf(payment?.payment.payment_intent ?? null);
  const found = await stripe.invoicePayments.list({
    payment: { type: 'payment_intent', payment_intent: intent },
  });
  expect(found.data.map((row) => row.invoice)).toEqual([invoice]);
  const page = await stripe.subscriptions.list({ expand: ['data.latest_invoice'] });
  expect(page.data[0]?.latest_invoice).toMatchObject({ id: invoice, object: 'invoice' });
  await expect(stripe.subscriptions.list({ expand: ['data.nonsense'] })).rejects.toMatchObject({
    statusCode: 400,
  });
});

describe('Idempotency-Key', () => {
  test('the same parameters answer the same, other parameters are refused', async () => {
    const { stripe } = offline;
    const first = await stripe.customers.create({ name: 'one' }, { idempotencyKey: 'k1' });
    const again = await stripe.customers.create({ name: 'one' }, { idempotencyKey: 'k1' });
    expect(again.id).toBe(first.id);
    expect((await stripe.customers.list()).data).toHaveLength(1);
    await expect(stripe.customers.create({ name: 'two' }, { idempotencyKey: 'k1' })).rejects.toMatchObject({
      statusCode: 400,
      type: 'StripeIdempotencyError',
    });
  });

  test('a 500 is remembered, a 429 is not', async () => {
    const { stripe } = offline;
    await offline.control('faults', { mode: '500', times: 1 });
    const create = (key: string): Promise<Stripe.Customer> =>
      stripe.customers.create({}, { idempotencyKey: key });
    await expect(create('k500')).rejects.toMatchObject({ statusCode: 500 });
    await expect(create('k500')).rejects.toMatchObject({ statusCode: 500 });
    await offline.control('faults', { mode: '429', times: 1 });
    await expect(create('k429')).rejects.toMatchObject({ statusCode: 429 });
    expect((await create('k429')).object).toBe('customer');
  });

  test('while the first is still under way, a second is refused', async () => {
    await offline.control('faults', { mode: 'delay', min_ms: 400, max_ms: 400, methods: ['POST'], times: 1 });
    const answers = await Promise.allSettled(
      [1, 2].map(() => offline.stripe.customers.create({}, { idempotencyKey: 'k2' })),
    );
    expect(answers.map((answer) => answer.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(answers.find((answer) => answer.status === 'rejected')).toMatchObject({
      reason: { statusCode: 409 },
    });
  });
});

describe('faults', () => {
  test('hit API answers as often as asked, never controls', async () => {
    const stripe = clientFor(offline.port);
    await offline.control('faults', { mode: 'html', times: 1 });
    await expect(stripe.customers.list()).rejects.toBeInstanceOf(Error);
    // The stripe package itself repeats a request once when the connection was reset.
    await offline.control('faults', { mode: 'reset', times: 2 });
    await expect(stripe.customers.list()).rejects.toMatchObject({ type: 'StripeConnectionError' });
    await offline.control('faults', { mode: 'hang' });
    await expect(stripe.customers.list({}, { timeout: 200 })).rejects.toMatchObject({
      type: 'StripeConnectionError',
    });
    expect(await offline.control('state')).toMatchObject({ fault: { mode: 'hang' } });
    await offline.control('faults', { mode: 'none' });
    expect((await stripe.customers.list()).data).toEqual([]);
  });

  test.each(['reset', 'hang', 'html', 'cut'] as const)(
    '%s: the request may be carried out and its answer lost; its idempotency key finds it',
    async (mode) => {
      const stripe = clientFor(offline.port);
      const key = { idempotencyKey: `lost-${mode}` };
      const create = () => stripe.customers.create({ name: mode }, { ...key, timeout: 300 });
      const isCut = mode === 'cut';
      await offline.control('faults', { mode, ...(isCut ? {} : { executed: true }) });
      await expect(create()).rejects.toBeInstanceOf(Error);
      await offline.control('faults', { mode: 'none' });
      const found = await create();
      expect(found.name).toBe(mode);
      const all = await stripe.customers.list({ limit: 100 });
      expect(all.data.filter((one) => one.name === mode)).toHaveLength(1);
    },
  );

  test('a restricted key may lack a permission, a secret key may not', async () => {
    const restricted = clientFor(offline.port, 'rk_test_of_the_test');
    const denied = { mode: 'permission', permission: 'rak_charge_read', path: '/v1/charges' };
    await offline.control('faults', denied);
    await expect(restricted.charges.retrieve('ch_1')).rejects.toMatchObject({
      statusCode: 403,
      message: expect.stringMatching(/rk_test_\*+test.*Having the 'rak_charge_read' permission/),
    });
    await expect(clientFor(offline.port).charges.retrieve('ch_1')).rejects.toMatchObject({ statusCode: 404 });
    expect((await restricted.customers.list()).object).toBe('list');
    await offline.control('faults', { mode: 'none' });
  });

  test('slow reads answer with what was true when they were asked', async () => {
    const { stripe } = offline;
    const customer = await stripe.customers.create({ name: 'before' });
    await offline.control('faults', { mode: 'delay', min_ms: 300, max_ms: 300, times: 1 });
    const slow = stripe.customers.retrieve(customer.id);
    await offline.control('state');
    const quick = fetch(`${offline.url}/healthz`);
    expect((await quick).status).toBe(200);
    await stripe.customers.update(customer.id, { name: 'after' });
    expect(await slow).toMatchObject({ name: 'before' });
    expect(await stripe.customers.retrieve(customer.id)).toMatchObject({ name: 'after' });
  });
});
