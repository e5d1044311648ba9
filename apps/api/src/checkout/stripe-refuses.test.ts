import { startCommerce, uniqueId } from '../testing/start-commerce.test-support.ts';
import type { Commerce } from '../testing/start-commerce.test-support.ts';

let commerce: Commerce;
let project: { projectId: string; apiKey: string };
let plan: { priceId: string; stripePriceId: string };
/** Of another plan, so that its buyer can buy this one. */
let buyer: { userId: string; customer: string };

beforeAll(async () => {
  commerce = await startCommerce();
  project = await commerce.createProject();
  plan = await commerce.sell(project.projectId, { amount: 2_000 });
  const first = await commerce.sell(project.projectId);
  const order = commerce.order(first.priceId);
  const { body } = await buy(order).expect(200);
  await fetch(`${commerce.stripeUrl}/_offline/checkout/sessions/${body.session_id}/pay`, { method: 'POST' });
  const [customer] = await commerce.customersOf(order.user_id);
  buyer = { userId: order.user_id, customer: String(customer?.id) };
});
afterAll(() => commerce.close());

const buy = (body: object) => commerce.checkout(project.apiKey, body);
const order = (more: object = {}) => commerce.order(plan.priceId, more);

type Restricted = { restrictions?: object; customer?: string; max_redemptions?: number };
async function makeCode(more: Restricted, coupon: object = { percent_off: 50 }): Promise<string> {
  const { stripe } = commerce;
  const made = await stripe.coupons.create({ duration: 'once', ...coupon });
  const promotion = { type: 'coupon' as const, coupon: made.id };
  return (await stripe.promotionCodes.create({ promotion, ...more })).code;
}

const refusals: [string, () => Promise<string>, string][] = [
  [
    'for a first purchase',
    () => makeCode({ restrictions: { first_time_transaction: true } }),
    'is for a first purchase',
  ],
  [
    'for a larger purchase',
    () => makeCode({ restrictions: { minimum_amount: 900_000, minimum_amount_currency: 'usd' } }),
    'needs a larger purchase',
  ],
  [
    'for another customer',
    async () => makeCode({ customer: (await commerce.stripe.customers.create({})).id }),
    'is for another customer',
  ],
  [
    'for another currency',
    () => makeCode({}, { amount_off: 500, currency: 'eur' }),
    'is in another currency',
  ],
];

test.each(refusals)(
  'a code that is %s: the request that names it is told why, a default is left out',
  async (_what, make, message) => {
    const promotion_code = await make();
    const named = await buy(order({ user_id: buyer.userId, promotion_code })).expect(409);
    expect(named.body).toMatchObject({
      code: 'promotion_code_not_redeemable',
      errors: [{ path: 'promotion_code', message }],
    });
    const setDefault = (code: string | null) =>
      commerce
        .admin('patch', `/projects/${project.projectId}`, { checkout_defaults: { promotion_code: code } })
        .expect(200);
    await setDefault(promotion_code);
    const sold = await buy(order({ user_id: buyer.userId })).expect(200);
    const session = await commerce.stripe.checkout.sessions.retrieve(sold.body.session_id);
    expect(session).toMatchObject({ discounts: [], amount_total: 2_000 });
    const again = await buy(order({ user_id: buyer.userId })).expect(200);
    expect(again.body.session_id).toBe(sold.body.session_id);
    await setDefault(null);
  },
);

test('what was left out is counted, and a client’s key gets the same answer', async () => {
  const promotion_code = await makeCode({ restrictions: { first_time_transaction: true } });
  const patch = { checkout_defaults: { promotion_code } };
  await commerce.admin('patch', `/projects/${project.projectId}`, patch).expect(200);
  const counted = async (): Promise<number> => {
    const { values } = await commerce.deps.metrics.defaultCodesLeftOut.get();
    return values.find(({ labels }) => labels.reason === 'refused')?.value ?? 0;
  };
  const before = await counted();
  const one = await commerce.sell(project.projectId, { interval: 'one_time' });
  const headers = { 'idempotency-key': uniqueId('key') };
  const body = commerce.order(one.priceId, { user_id: buyer.userId, mode: 'payment' });
  const first = await commerce.checkout(project.apiKey, body, headers).expect(200);
  expect(await counted()).toBe(before + 1);
  const again = await commerce.checkout(project.apiKey, body, headers).expect(200);
  expect(again.body).toEqual(first.body);
  const none = { checkout_defaults: null };
  await commerce.admin('patch', `/projects/${project.projectId}`, none).expect(200);
});

describe('a sale that Stripe refuses is told with the price:', () => {
  type Row = [string, () => Promise<object>, [number, string, string, string]];
  const inactive = async () => {
    const sold = await commerce.sell(project.projectId);
    await commerce.stripe.prices.update(sold.stripePriceId, { active: false });
    return { price_id: undefined, items: [{ price_id: plan.priceId }, { price_id: sold.priceId }] };
  };
  const unknown = async () => {
    const { projectId } = project;
    const { priceId } = await commerce.sell(projectId);
    await commerce.deps.database.price.update({
      where: { projectId_priceId: { projectId, priceId } },
      data: { stripePriceId: uniqueId('price_missing') },
    });
    return { price_id: priceId };
  };
  const foreign = async () => {
    const { projectId } = project;
    const price = await commerce.stripe.prices.create({
      currency: 'eur',
      unit_amount: 700,
      product_data: { name: 'Euro' },
      recurring: { interval: 'month' },
    });
    const { productId } = await commerce.sell(projectId);
    const mapped = { price_id: uniqueId('euro'), product_id: productId, stripe_price_id: price.id };
    await commerce.admin('post', `/projects/${projectId}/prices`, mapped).expect(201);
    return { price_id: undefined, items: [{ price_id: plan.priceId }, { price_id: mapped.price_id }] };
  };
  const rows: Row[] = [
    [
      'a price that is inactive there',
      inactive,
      [502, 'stripe_error', 'items.1.price_id', 'is not active at Stripe'],
    ],
    ['a price that is not there', unknown, [502, 'stripe_error', 'price_id', 'is not known to Stripe']],
    ['prices of two currencies', foreign, [502, 'stripe_error', 'items', 'is in another currency']],
  ];
  test.each(rows)('%s', async (_what, make, [status, code, path, message]) => {
    const { body } = await buy(order(await make()));
    expect(body).toMatchObject({ status, code, errors: [{ path, message }] });
    expect(JSON.stringify(body)).not.toMatch(/sk_test/);
  });
});
