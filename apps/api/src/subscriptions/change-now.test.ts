import { daySeconds, startChangeWorld } from './changes.test-support.ts';
import type { ChangeWorld } from './changes.test-support.ts';

let world: ChangeWorld;
let basic: Awaited<ReturnType<ChangeWorld['plan']>>;
let pro: typeof basic;
beforeAll(async () => {
  world = await startChangeWorld();
  basic = await world.plan({ amount: 1_000, group: 'plan', rank: 1 });
  pro = await world.plan({ amount: 3_001, group: 'plan', rank: 2 });
});
afterAll(() => world.close());

const invoicesOf = async (id: string) => (await world.stripe.invoices.list({ subscription: id })).data;
const toPro = () => ({ items: [{ price_id: pro.priceId }] });

test('the amount shown is the amount charged, and the next read is right', async () => {
  const { id, userId } = await world.subscribe([basic.stripePriceId]);
  await world.offline('clock', { advance_seconds: 10 * daySeconds + 12_345 });
  expect(await world.features(userId)).toEqual([basic.feature]);
  const { body: shown } = await world.preview(id, toPro()).expect(200);
  expect(shown).toMatchObject({ currency: 'usd', credit: 0, next_invoice: { amount: 3_001 } });
  expect(shown.lines.map(({ amount }: { amount: number }) => Math.sign(amount))).toEqual([-1, 1]);
  expect(shown.due_now).toBeGreaterThan(0);
  expect(await invoicesOf(id)).toHaveLength(1);
  await world.offline('clock', { advance_seconds: 400 });
  const { body } = await world.change(id, { ...toPro(), preview_token: shown.preview_token }).expect(200);
  expect(body).toMatchObject({
    subscription_id: id,
    items: [{ price_id: pro.priceId, quantity: 1 }],
    pending_change: null,
    pending_payment: null,
    confirmed: true,
  });
  const [invoice, ...earlier] = await invoicesOf(id);
  expect([invoice?.status, invoice?.amount_paid, earlier.length]).toEqual(['paid', shown.due_now, 1]);
  expect(await world.features(userId)).toEqual([pro.feature]);
});

test('asked for again, with a key or without, it is made once, and audited with the key of the project', async () => {
  const { id } = await world.subscribe([basic.stripePriceId]);
  for (const headers of [{ 'idempotency-key': `change-${id}` }, { 'idempotency-key': `change-${id}` }, {}])
    await world.change(id, toPro(), headers).expect(200);
  expect(await invoicesOf(id)).toHaveLength(2);
  const { body } = await world.api.admin('get', `/audit?target_id=${id}`).expect(200);
  expect(body.data).toMatchObject(
    Array.from({ length: 2 }, () => ({
      action: 'subscription.change',
      actor: expect.stringContaining(world.keyId),
    })),
  );
});

test('a payment that fails leaves the old plan, until it is paid or given up', async () => {
  const { id, userId, customerId } = await world.subscribe([basic.stripePriceId]);
  await world.declineCard(customerId, id);
  const { body } = await world.change(id, toPro()).expect(402);
  expect(body).toMatchObject({
    code: 'payment_required',
    hosted_invoice_url: expect.stringContaining('/i/'),
  });
  const shown = await world.get(id).expect(200);
  expect(shown.body).toMatchObject({
    items: [{ price_id: basic.priceId }],
    pending_payment: { hosted_invoice_url: body.hosted_invoice_url },
  });
  // Again: no second invoice.
  expect((await world.change(id, toPro()).expect(402)).body.hosted_invoice_url).toBe(body.hosted_invoice_url);
  expect(await world.features(userId)).toEqual([basic.feature]);
  const dropped = await world.drop(id).expect(200);
  expect(dropped.body).toMatchObject({ pending_payment: null, items: [{ price_id: basic.priceId }] });
  expect((await invoicesOf(id)).map(({ status }) => status)).toEqual(['void', 'paid']);
  expect((await world.drop(id).expect(409)).body.code).toBe('no_pending_change');

  await world.change(id, toPro()).expect(402);
  const [open] = await invoicesOf(id);
  await world.stripe.invoices.pay(open?.id ?? '', { payment_method: 'pm_card_visa' });
  const { body: paid } = await world.change(id, toPro()).expect(200);
  expect(paid).toMatchObject({ items: [{ price_id: pro.priceId }], pending_payment: null });
  expect(await invoicesOf(id)).toHaveLength(3);
});

test('where invoices are sent, it is made at once', async () => {
  const { id } = await world.subscribe([basic.stripePriceId], {
    collection_method: 'send_invoice',
    days_until_due: 7,
  });
  const { body } = await world.change(id, toPro()).expect(200);
  expect(body).toMatchObject({ items: [{ price_id: pro.priceId }], pending_payment: null });
  expect((await invoicesOf(id))[0]?.status).toBe('open');
});

test.each([
  ['prorate', 4_000],
  ['none', 3_001],
])('%s: nothing is due now', async (proration, atMost) => {
  const { id } = await world.subscribe([basic.stripePriceId]);
  await world.offline('clock', { advance_seconds: 15 * daySeconds });
  const wanted = { ...toPro(), proration };
  const { body: shown } = await world.preview(id, wanted).expect(200);
  expect(shown).toMatchObject({ due_now: 0, credit: 0 });
  await world.change(id, { ...wanted, preview_token: shown.preview_token }).expect(200);
  expect(await invoicesOf(id)).toHaveLength(1);
  const next = await world.stripe.invoices.createPreview({ subscription: id });
  expect(next.amount_due).toBe(shown.next_invoice.amount);
  expect(next.amount_due).toBeLessThanOrEqual(atMost + 1_000);
});

test('what a smaller plan gives back now is the credit', async () => {
  const { id, customerId } = await world.subscribe([pro.stripePriceId]);
  await world.offline('clock', { advance_seconds: 10 * daySeconds });
  const wanted = { items: [{ price_id: basic.priceId }], effective: 'now' };
  const { body: shown } = await world.preview(id, wanted).expect(200);
  expect(shown.due_now).toBe(0);
  expect(shown.credit).toBeGreaterThan(0);
  await world.change(id, { ...wanted, preview_token: shown.preview_token }).expect(200);
  expect(await world.stripe.customers.retrieve(customerId)).toMatchObject({ balance: -shown.credit });
});

test('in a trial nothing is due', async () => {
  const { id } = await world.subscribe([basic.stripePriceId], { trial_period_days: 14 });
  const { body: shown } = await world.preview(id, toPro()).expect(200);
  expect(shown).toMatchObject({ due_now: 0, credit: 0, next_invoice: { amount: 3_001 } });
  const { body } = await world.change(id, toPro()).expect(200);
  expect(body).toMatchObject({ status: 'trialing', items: [{ price_id: pro.priceId }] });
});

test('a change of nothing shows what comes next, and charges nothing', async () => {
  const { id } = await world.subscribe([basic.stripePriceId]);
  const same = { items: [{ price_id: basic.stripePriceId, quantity: 1 }] };
  const { body: shown } = await world.preview(id, same).expect(200);
  expect(shown).toMatchObject({ due_now: 0, lines: [], next_invoice: { amount: 1_000 } });
  await world.change(id, { ...same, preview_token: shown.preview_token }).expect(200);
  expect(await invoicesOf(id)).toHaveLength(1);
});

test('all lines are shown and count, although Stripe renders an invoice with its first ten alone', async () => {
  const addOns = await Promise.all(
    Array.from({ length: 6 }, () =>
      world.plan({ amount: 600 }).then(({ priceId, stripePriceId }) => ({ priceId, stripePriceId })),
    ),
  );
  const given = addOns.map(({ stripePriceId }) => ({ price: stripePriceId, quantity: 3 }));
  const { id } = await world.subscribe([basic.stripePriceId, ...given]);
  const items = addOns.map(({ priceId }) => ({ price_id: priceId, quantity: 1 }));
  const fewer = { items: [{ price_id: basic.priceId }, ...items], effective: 'now', proration: 'prorate' };
  const { body: shown } = await world.preview(id, fewer).expect(200);
  expect(shown.lines.length).toBeGreaterThan(10);
  const { body: changed } = await world
    .change(id, { ...fewer, preview_token: shown.preview_token })
    .expect(200);
  expect(changed.items).toHaveLength(7);
  // Two of each of six add-ons go, at the beginning of the period.
  expect(shown.credit).toBeGreaterThan(6_500);
  expect(shown.credit).toBeLessThanOrEqual(7_200);
});
