import type Stripe from 'stripe';

import {
  idOf,
  openCheckout,
  seed,
  startOffline,
  subscribe,
  type Catalog,
  type Offline,
} from './harness.test-support.ts';

const day = 86_400;
let offline: Offline;
let catalog: Catalog;
beforeEach(async () => {
  offline = await startOffline();
  catalog = await seed(offline.stripe);
});
afterEach(() => offline.close());

async function makeCode(
  coupon: Stripe.CouponCreateParams = { percent_off: 25, duration: 'forever' },
  more: Partial<Stripe.PromotionCodeCreateParams> = {},
): Promise<Stripe.PromotionCode> {
  const made = await offline.stripe.coupons.create(coupon);
  return offline.stripe.promotionCodes.create({
    promotion: { type: 'coupon', coupon: made.id },
    code: 'SPRING-25',
    ...more,
  });
}

test('a code is made, found in any case, switched off, and told in events', async () => {
  const { stripe } = offline;
  const code = await makeCode();
  expect(code).toMatchObject({
    object: 'promotion_code',
    active: true,
    promotion: { type: 'coupon', coupon: expect.any(String) },
    restrictions: { first_time_transaction: false, minimum_amount: null },
  });
  const found = await stripe.promotionCodes.list({ code: 'spring-25', active: true, limit: 1 });
  expect(found.data.map(({ id }) => id)).toEqual([code.id]);
  const whole = await stripe.promotionCodes.retrieve(code.id, { expand: ['promotion.coupon'] });
  expect(whole.promotion.coupon).toMatchObject({ percent_off: 25 });
  await expect(makeCode()).rejects.toThrow('An active promotion code with `code: SPRING-25` already exists.');
  await stripe.promotionCodes.update(code.id, { active: false });
  expect((await stripe.promotionCodes.list({ code: 'SPRING-25', active: true })).data).toEqual([]);
  expect((await makeCode()).active).toBe(true);
  expect(await offline.eventTypes()).toEqual(
    expect.arrayContaining(['promotion_code.created', 'promotion_code.updated']),
  );
});

test.each([
  ['once', {}, [1_500, 2_000, 2_000]],
  ['forever', {}, [1_500, 1_500, 1_500]],
  ['repeating', { duration_in_months: 2 }, [1_500, 1_500, 2_000]],
] as const)(
  'a code whose coupon holds %s takes its share off as many invoices',
  async (duration, more, paid) => {
    const { stripe } = offline;
    const code = await makeCode({ percent_off: 25, duration, ...more });
    const session = await openCheckout(offline, catalog, { discounts: [{ promotion_code: code.id }] });
    expect(session).toMatchObject({
      amount_subtotal: 2_000,
      amount_total: 1_500,
      discounts: [{ coupon: null, promotion_code: code.id }],
      total_details: { amount_discount: 500 },
    });
    await offline.control(`checkout/sessions/${session.id}/pay`, {});
    const { subscription } = await stripe.checkout.sessions.retrieve(session.id);
    const created = offline.receiver.events.length;
    expect(created).toBeGreaterThan(0);
    const bought = await stripe.subscriptions.retrieve(idOf(subscription));
    expect(bought.discounts.every((discount) => typeof discount === 'string')).toBe(true);
    for (let month = 0; month < 2; month += 1) {
      const now = await stripe.subscriptions.retrieve(bought.id);
      await offline.control('clock', { to: now.items.data[0]?.current_period_end ?? 0 });
    }
    const invoices = await stripe.invoices.list({ subscription: bought.id });
    expect(invoices.data.map(({ amount_paid: amount }) => amount).reverse()).toEqual(paid);
    expect(await stripe.promotionCodes.retrieve(code.id)).toMatchObject({ times_redeemed: 1 });
  },
);

test("webhooks carry a discount's id; its coupon is looked up, also once it was deleted", async () => {
  const { stripe } = offline;
  const code = await makeCode();
  const subscription = await stripe.subscriptions.create({
    customer: catalog.customer.id,
    items: [{ price: catalog.monthly.id }],
    discounts: [{ promotion_code: code.id }],
  });
  const events = await stripe.events.list({ type: 'customer.subscription.created' });
  expect(events.data[0]?.data.object).toMatchObject({ discounts: [expect.stringMatching(/^di_/)] });
  await stripe.coupons.del(idOf(code.promotion.coupon));
  const whole = await stripe.subscriptions.retrieve(subscription.id, {
    expand: ['discounts', 'discounts.source.coupon'],
  });
  expect(whole.discounts).toMatchObject([
    { promotion_code: code.id, source: { coupon: { percent_off: 25, duration: 'forever' } } },
  ]);
});

test('an update replaces discounts, keeps those it names, and clears them', async () => {
  const { stripe } = offline;
  const code = await makeCode();
  const { id } = await subscribe(offline, catalog);
  const first = await stripe.subscriptions.update(id, { discounts: [{ promotion_code: code.id }] });
  const [kept = ''] = first.discounts.map(idOf);
  const again = await stripe.subscriptions.update(id, { discounts: [{ discount: kept }] });
  expect(again.discounts).toEqual([kept]);
  const cleared = await stripe.subscriptions.update(id, { discounts: '' });
  expect(cleared.discounts).toEqual([]);
  expect(await offline.eventTypes()).toContain('customer.discount.deleted');
});

const refused: [string, Partial<Stripe.PromotionCodeCreateParams>, string][] = [
  ['that is off', { active: false }, 'it is inactive'],
  ['that is over', { expires_at: Math.floor(Date.now() / 1000) + 300 }, 'it is inactive'],
  [
    'of a purchase that is too small',
    { restrictions: { minimum_amount: 2_001, minimum_amount_currency: 'usd' } },
    'minimum amount',
  ],
  [
    'for first purchases, after one',
    { restrictions: { first_time_transaction: true } },
    'prior transactions',
  ],
];
test.each(refused)('a code %s is refused', async (_name, more, why) => {
  const code = await makeCode(undefined, more);
  if (why === 'prior transactions') await subscribe(offline, catalog);
  await offline.advance(400);
  await expect(
    openCheckout(offline, catalog, { discounts: [{ promotion_code: code.id }] }),
  ).rejects.toMatchObject({
    statusCode: 400,
    param: 'discounts[0][promotion_code]',
    message: expect.stringContaining(why),
  });
});

test('a sum in another currency is refused', async () => {
  const code = await makeCode({ amount_off: 500, currency: 'eur', duration: 'once' });
  await expect(openCheckout(offline, catalog, { discounts: [{ promotion_code: code.id }] })).rejects.toThrow(
    'its coupon is in another currency',
  );
  await expect(
    openCheckout(offline, catalog, { discounts: [{ coupon: idOf(code.promotion.coupon) }] }),
  ).rejects.toMatchObject({ statusCode: 400, param: 'discounts[0][coupon]' });
});

test("unknown codes, another customer's, and two sources at once are refused", async () => {
  const { stripe } = offline;
  const other = await stripe.customers.create({});
  const code = await makeCode(undefined, { customer: other.id });
  const open = (discounts: Stripe.Checkout.SessionCreateParams.Discount[], more = {}) =>
    openCheckout(offline, catalog, { discounts, ...more });
  await expect(open([{ promotion_code: code.id }])).rejects.toThrow('it belongs to another customer');
  await expect(open([{ promotion_code: 'promo_none' }])).rejects.toMatchObject({
    code: 'resource_missing',
    param: 'discounts[0][promotion_code]',
    message: "No such promotion code: 'promo_none'",
  });
  await expect(open([{ promotion_code: code.id, coupon: 'x' }])).rejects.toMatchObject({ statusCode: 400 });
  await expect(open([{ promotion_code: code.id }], { allow_promotion_codes: true })).rejects.toMatchObject({
    param: 'allow_promotion_codes',
  });
  await offline.advance(day);
});
