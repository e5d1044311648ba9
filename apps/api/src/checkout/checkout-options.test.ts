import { dayMs, hourMs } from '@billing/domain';
import { startCommerce, uniqueId } from '../testing/start-commerce.test-support.ts';
import type { Commerce } from '../testing/start-commerce.test-support.ts';

type Price = { productId: string; priceId: string; stripePriceId: string };

let commerce: Commerce;
let project: { projectId: string; apiKey: string };
let prices: Record<'basic' | 'pro' | 'seats' | 'calls' | 'once', Price>;
let code: { id: string; code: string };

/** A metered price of a product that sells a plan. */
async function sellCalls({ productId }: Price): Promise<Price> {
  const { stripe } = commerce;
  const meter = await stripe.billing.meters.create({
    display_name: 'Calls',
    event_name: uniqueId('calls'),
    default_aggregation: { formula: 'sum' },
  });
  const stripePrice = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 2,
    product_data: { name: 'Calls' },
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
  });
  const ours = { price_id: uniqueId('ours'), stripe_price_id: stripePrice.id };
  const body = { ...ours, product_id: productId };
  await commerce.admin('post', `/projects/${project.projectId}/prices`, body).expect(201);
  return { productId, priceId: ours.price_id, stripePriceId: stripePrice.id };
}

beforeAll(async () => {
  commerce = await startCommerce();
  project = await commerce.createProject();
  const plan = { group: 'plan' };
  const sell = (product: object) => commerce.sell(project.projectId, product);
  const pro = await sell({ plan: { ...plan, rank: 2 }, amount: 2_000 });
  prices = {
    pro,
    basic: await sell({ plan: { ...plan, rank: 1 } }),
    seats: await sell({ amount: 500 }),
    once: await sell({ interval: 'one_time', amount: 4_900 }),
    calls: await sellCalls(pro),
  };
  const coupon = await commerce.stripe.coupons.create({ percent_off: 50, duration: 'once' });
  const promotion = { type: 'coupon' as const, coupon: coupon.id };
  code = await commerce.stripe.promotionCodes.create({ promotion, code: 'HALF' });
});
afterAll(() => commerce.close());

const noAddresses = { success_url: undefined, cancel_url: undefined };
const back = 'https://app.example.com/back?session={CHECKOUT_SESSION_ID}';
const embedded = { ...noAddresses, ui_mode: 'embedded', return_url: back };
const order = (more: object = {}) => commerce.order(prices.pro.priceId, more);
const bundle = (items: object[], more: object = {}) => order({ price_id: undefined, items, ...more });
const buy = (body: object) => commerce.checkout(project.apiKey, body);
const sessionOf = async (body: object) => {
  const { body: sold } = await buy(body).expect(200);
  return commerce.stripe.checkout.sessions.retrieve(sold.session_id, { expand: ['line_items'] });
};
async function paid(body: object) {
  const { id } = await sessionOf(body);
  await fetch(`${commerce.stripeUrl}/_offline/checkout/sessions/${id}/pay`, { method: 'POST' });
  const expand = ['subscription', 'invoice'];
  return commerce.stripe.checkout.sessions.retrieve(id, { expand });
}
const ahead = (ms: number): string => new Date(Date.now() + ms).toISOString();
const setDefaults = (checkout_defaults: object | null) =>
  commerce.admin('patch', `/projects/${project.projectId}`, { checkout_defaults }).expect(200);

describe('a checkout asks Stripe for', () => {
  test.each<[string, object, object]>([
    ['codes that the buyer types', { allow_promotion_codes: true }, { allow_promotion_codes: true }],
    [
      'taxes',
      { automatic_tax: true, tax_id_collection: true },
      { automatic_tax: { enabled: true }, tax_id_collection: { enabled: true } },
    ],
    ['an address', { billing_address_collection: 'required' }, { billing_address_collection: 'required' }],
    [
      'a card only if it is needed',
      { payment_method_collection: 'if_required' },
      { payment_method_collection: 'if_required' },
    ],
    ['a language', { locale: 'pt-BR' }, { locale: 'pt-BR' }],
    [
      'an invoice of a payment',
      { mode: 'payment', price_id: 'once', invoice_creation: true },
      { invoice_creation: { enabled: true } },
    ],
    [
      'quantities that the buyer may change',
      { quantity: 2, adjustable_quantity: { min: 1, max: 9 } },
      { line_items: { data: [{ adjustable_quantity: { enabled: true, minimum: 1, maximum: 9 } }] } },
    ],
  ])('%s', async (_what, more, session) => {
    const named = 'price_id' in more ? { ...more, price_id: prices.once.priceId } : more;
    expect(await sessionOf(order(named))).toMatchObject(session);
  });

  test.each([
    ['a code', () => code.code.toLowerCase()],
    ['the id of a code', () => code.id],
  ])('%s, which is redeemed', async (_what, named) => {
    const session = await paid(order({ promotion_code: named() }));
    expect(session).toMatchObject({
      discounts: [{ promotion_code: code.id }],
      invoice: { amount_paid: 1_000 },
    });
  });

  test('a trial that ends at a moment, and what becomes of it without a card', async () => {
    const trial_end = ahead(10 * dayMs);
    const trial = { trial_end, trial_without_card: 'pause', payment_method_collection: 'if_required' };
    expect(await paid(order(trial))).toMatchObject({
      subscription: {
        status: 'trialing',
        trial_end: Math.ceil(Date.parse(trial_end) / 1_000),
        trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
      },
    });
  });

  test.each([
    [1_800, 1_860],
    [7_200, 7_200],
    [86_400, 86_390],
  ])('an end in %d seconds, as %d', async (expires_in_seconds, asked) => {
    const before = Math.floor(Date.now() / 1_000);
    const { expires_at: expiresAt } = await sessionOf(order({ expires_in_seconds }));
    expect(expiresAt - before - asked).toBeGreaterThanOrEqual(0);
    expect(expiresAt - before - asked).toBeLessThan(20);
  });

  test('a page inside of the seller’s own', async () => {
    const { body } = await buy(order(embedded)).expect(200);
    expect(body).toEqual({
      checkout_url: null,
      client_secret: expect.stringMatching(/^cs_.*_secret_/),
      session_id: expect.any(String),
      expires_at: expect.any(String),
    });
    const session = await commerce.stripe.checkout.sessions.retrieve(body.session_id);
    expect(session).toMatchObject({ ui_mode: 'embedded_page', return_url: back, success_url: null });
  });

  test('plans, add-ons, a metered and a one-time price together, whose metadata names no price', async () => {
    const { pro, seats, calls, once } = prices;
    const session = await sessionOf(
      bundle([
        { price_id: pro.priceId },
        { price_id: seats.stripePriceId, quantity: 3 },
        { price_id: calls.priceId },
        { price_id: once.priceId, quantity: 2 },
      ]),
    );
    expect(session.line_items?.data.map(({ price, quantity }) => [price?.id, quantity])).toEqual([
      [pro.stripePriceId, 1],
      [seats.stripePriceId, 3],
      [calls.stripePriceId, null],
      [once.stripePriceId, 2],
    ]);
    expect(session.metadata).toEqual({
      user_id: session.client_reference_id,
      project_id: project.projectId,
    });
  });

  test('one item as the same without a list', async () => {
    const { metadata } = await sessionOf(bundle([{ price_id: prices.seats.priceId, quantity: 4 }]));
    expect(metadata).toMatchObject({ price_id: prices.seats.priceId, quantity: '4' });
  });
});

describe('a checkout is refused with', () => {
  const item = (name: keyof typeof prices, more: object = {}) => ({
    price_id: prices[name].priceId,
    ...more,
  });
  test.each<[string, () => object, string, string | null]>([
    [
      'two plans of a group',
      () => bundle([item('pro'), item('basic')]),
      'group_conflict',
      'items.1.price_id',
    ],
    [
      'an unknown price',
      () => bundle([item('pro'), { price_id: 'x' }]),
      'price_not_found',
      'items.1.price_id',
    ],
    ['one price twice', () => bundle([item('pro'), item('pro')]), 'invalid_request', 'items.1.price_id'],
    [
      'a quantity of what is metered',
      () => bundle([item('pro'), item('calls', { quantity: 1 })]),
      'invalid_request',
      'items.1.quantity',
    ],
    ['only one-time items to subscribe to', () => bundle([item('once')]), 'mode_mismatch', null],
    [
      'a plan to pay once',
      () => bundle([item('once'), item('pro')], { mode: 'payment' }),
      'mode_mismatch',
      null,
    ],
    [
      'a code that nobody made',
      () => order({ promotion_code: 'NONE' }),
      'promotion_code_not_found',
      'promotion_code',
    ],
    [
      'an id of a code that nobody made',
      () => order({ promotion_code: 'promo_none' }),
      'promotion_code_not_found',
      'promotion_code',
    ],
    ['a trial that ends at once', () => order({ trial_end: ahead(hourMs) }), 'invalid_request', 'trial_end'],
    ['21 items', () => bundle(Array.from({ length: 21 }, () => item('pro'))), 'invalid_request', 'items'],
    ['no items', () => bundle([]), 'invalid_request', 'items'],
    ['a language that nobody speaks', () => order({ locale: 'xx' }), 'invalid_request', 'locale'],
    [
      'an address of another page',
      () => order({ ...embedded, cancel_url: back }),
      'invalid_request',
      'cancel_url',
    ],
  ])('%s', async (_what, body, expected, path) => {
    const { body: problem } = await buy(body());
    expect(problem).toMatchObject({ code: expected, ...(path === null ? {} : { errors: [{ path }] }) });
  });

  test('a code that is no longer active', async () => {
    const coupon = await commerce.stripe.coupons.create({ percent_off: 5, duration: 'once' });
    const made = await commerce.stripe.promotionCodes.create({
      promotion: { type: 'coupon', coupon: coupon.id },
    });
    await commerce.stripe.promotionCodes.update(made.id, { active: false });
    for (const promotion_code of [made.id, made.code])
      expect((await buy(order({ promotion_code })).expect(404)).body.code).toBe('promotion_code_not_found');
  });
});

describe('the project’s defaults', () => {
  beforeAll(() =>
    setDefaults({
      allow_promotion_codes: true,
      locale: 'de',
      trial_days: 7,
      adjustable_quantity: { min: 1, max: 5 },
      invoice_creation: true,
    }),
  );
  afterAll(() => setDefaults(null));

  test('count where the request does not say it', async () => {
    const session = await paid(order());
    expect(session).toMatchObject({
      allow_promotion_codes: true,
      locale: 'de',
      subscription: { status: 'trialing' },
    });
  });

  test.each<[string, object, object]>([
    [
      'another value',
      { locale: 'fr', allow_promotion_codes: false },
      { locale: 'fr', allow_promotion_codes: null },
    ],
    ['a code', { promotion_code: 'HALF' }, { allow_promotion_codes: null, discounts: [{}] }],
    [
      'a quantity that they do not hold',
      { quantity: 6 },
      { line_items: { data: [{ quantity: 6, adjustable_quantity: null }] } },
    ],
    [
      'the other mode',
      { mode: 'payment', price_id: 'once' },
      { invoice_creation: { enabled: true }, locale: 'de' },
    ],
  ])('give way to %s', async (_what, more, session) => {
    const named = 'price_id' in more ? { ...more, price_id: prices.once.priceId } : more;
    expect(await sessionOf(order(named))).toMatchObject(session);
  });

  test('choose the page, unless the addresses do, and never name a code that is gone', async () => {
    await setDefaults({ ui_mode: 'embedded', allow_promotion_codes: null, promotion_code: 'GONE' });
    const { ui_mode: _ui, ...unsaid } = embedded;
    expect((await buy(order(unsaid)).expect(200)).body.checkout_url).toBeNull();
    expect((await buy(order()).expect(200)).body.checkout_url).toMatch(/^http/);
  });
});
