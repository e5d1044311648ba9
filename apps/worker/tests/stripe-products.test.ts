import { createProduct, patchProduct, readProjectMetrics, tryChange } from '@billing/store';
import { dayMs } from '@billing/domain';
import { invoiceObject, periodStart, sessionObject, stripeEvent, subscriptionObject } from '@billing/testing';
import type { StripeShape } from '@billing/testing';
import { actor } from './support/owners-world.test-support.ts';
import { startTestWorker } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';

let world: TestWorker;
beforeAll(async () => {
  world = await startTestWorker();
  await world.database.project.create({ data: { id: 'second', name: 'Second' } });
});
afterAll(() => world.close());

const at = periodStart * 1000 + 1;
const userId = 'bea';
let count = 0;
const unique = (prefix: string): string => `${prefix}_sp${(count += 1)}`;

/** A product of a project, as which all prices of a Stripe product are sold. */
const sellWhole = (stripeProductId: string | null, fields: object = {}, projectId = 'shop') =>
  createProduct(world.database, {
    projectId,
    actor,
    request: {
      product_id: unique('product'),
      name: 'Whole',
      feature_codes: ['whole'],
      stripe_product_id: stripeProductId,
      ...fields,
    },
  });

type Bought = { product: string; priceId?: string; metadata?: Record<string, string>; shape?: StripeShape };

const started = ({ product, priceId = unique('price'), metadata, shape = 'endive' }: Bought) => {
  const id = unique('sub');
  const object = subscriptionObject(
    {
      id,
      customer: unique('cus'),
      latestInvoice: null,
      items: [{ id: `si_${id}`, priceId, product }],
      metadata: metadata ?? { user_id: userId },
    },
    shape,
  );
  return { id, object, event: stripeEvent({ type: 'customer.subscription.created', object, shape }) };
};

const featuresIn = async (projectId: string, user = userId) =>
  (await world.features(at, user, projectId)).map(({ featureCode }) => featureCode);

it.each<StripeShape>(['endive', 'acacia'])(
  'a price that nobody mapped is sold by its Stripe product, which decides the project (%s)',
  async (shape) => {
    const product = unique('prod');
    const user = unique('user');
    await sellWhole(product, {}, 'second');
    const { event, id } = started({ product, metadata: { user_id: user }, shape });
    await world.deliver(event);
    expect(await world.outcomeOf(event)).toBe('applied');
    expect(await featuresIn('second', user)).toEqual(['whole']);
    expect(await featuresIn('shop', user)).toEqual([]);
    expect(await world.database.subscriptionItem.findFirst({ where: { subscriptionId: id } })).toMatchObject({
      stripeProductId: product,
    });
  },
);

it('a mapped price goes before its Stripe product', async () => {
  const product = unique('prod');
  const user = unique('user');
  await sellWhole(product, {}, 'second');
  const { event } = started({ product, priceId: 'price_sub', metadata: { user_id: user } });
  await world.deliver(event);
  expect([await featuresIn('shop', user), await featuresIn('second', user)]).toEqual([['pro'], []]);
});

it('what came before its Stripe product was mapped waits, and is released by it', async () => {
  const product = unique('prod');
  const user = unique('user');
  const named = started({ product, metadata: { user_id: user, project_id: 'second' } });
  const unnamed = started({ product, metadata: { user_id: user } });
  await world.deliver(named.event, unnamed.event);
  expect([await world.outcomeOf(named.event), await world.outcomeOf(unnamed.event)]).toEqual([
    'quarantined:unknown_price',
    'quarantined:unknown_price',
  ]);
  const { result } = await sellWhole(null, {}, 'second');
  const key = { projectId: 'second', productId: result.productId };
  await patchProduct(world.database, { key, patch: { stripe_product_id: product }, actor });
  expect([await world.outcomeOf(named.event), await world.outcomeOf(unnamed.event)]).toEqual([
    'applied',
    'applied',
  ]);
  const given = (await world.features(at, user, 'second')).map(({ sourceId }) => sourceId);
  expect(given).toEqual([named.id]);
  const rows = await world.database.subscription.findMany({
    where: { id: { in: [named.id, unnamed.id] } },
    include: { user: true },
  });
  expect(rows.map((row) => [row.user?.projectId, row.user?.userId])).toEqual([
    ['second', user],
    ['second', user],
  ]);
});

it('counts in the numbers of the project', async () => {
  const before = await readProjectMetrics(world.database, {
    projectId: 'second',
    now: at,
    pastDueGraceDays: 7,
  });
  const product = unique('prod');
  await sellWhole(product, {}, 'second');
  const { object } = started({ product, metadata: { user_id: unique('user') } });
  const [item] = object.items.data;
  Object.assign(item?.price ?? {}, {
    currency: 'usd',
    unit_amount: 700,
    recurring: { interval: 'month', interval_count: 1, usage_type: 'licensed' },
  });
  await world.deliver(stripeEvent({ type: 'customer.subscription.created', object }));
  const after = await readProjectMetrics(world.database, {
    projectId: 'second',
    now: at,
    pastDueGraceDays: 7,
  });
  const usd = ({ mrr }: typeof after) => mrr.find(({ currency }) => currency === 'usd')?.amount ?? 0;
  expect(after.active).toBe(before.active + 1);
  expect(usd(after) - usd(before)).toBe(700);
});

it('a price made for one checkout gives access for the days of the product', async () => {
  const product = unique('prod');
  const user = unique('user');
  await sellWhole(product, { access_days: 30 });
  // A price of `price_data`, which the session's metadata cannot name.
  const price = await world.stripe.prices.create({
    currency: 'usd',
    unit_amount: 500,
    product_data: { name: 'x' },
  });
  const stripeProduct = typeof price.product === 'string' ? price.product : price.product.id;
  const { result } = await sellWhole(null, { access_days: 10, feature_codes: ['made'] });
  const key = { projectId: 'shop', productId: result.productId };
  await patchProduct(world.database, { key, patch: { stripe_product_id: stripeProduct }, actor });
  const invoice = stripeEvent({
    type: 'invoice.paid',
    created: periodStart,
    object: invoiceObject({
      id: unique('in'),
      customer: unique('cus'),
      subscription: null,
      metadata: { user_id: user },
      lines: [
        { itemId: null, priceId: unique('price'), product },
        { itemId: null, priceId: price.id, product: stripeProduct, quantity: 2 },
      ],
    }),
  });
  await world.deliver(invoice);
  expect(await world.outcomeOf(invoice)).toBe('applied');
  expect(await world.features(at, user)).toMatchObject([
    { featureCode: 'made', source: 'purchase', validTo: periodStart * 1000 + 20 * dayMs },
    { featureCode: 'whole', source: 'purchase', validTo: periodStart * 1000 + 30 * dayMs },
  ]);
});

it('a session’s line items say of which Stripe product they are', async () => {
  const user = unique('user');
  const product = await world.stripe.products.create({ name: 'Sold' });
  await sellWhole(product.id, { feature_codes: ['session'] });
  const session = await world.stripe.checkout.sessions.create({
    mode: 'payment',
    success_url: 'https://app.example.com',
    line_items: [{ price_data: { currency: 'usd', unit_amount: 500, product: product.id }, quantity: 1 }],
    metadata: { user_id: user },
  });
  const event = stripeEvent({
    type: 'checkout.session.completed',
    object: sessionObject({
      id: session.id,
      customer: unique('cus'),
      paymentIntent: unique('pi'),
      paymentStatus: 'paid',
      metadata: { user_id: user, project_id: 'shop' },
    }),
  });
  await world.deliver(event);
  expect(await world.outcomeOf(event)).toBe('applied');
  expect(await featuresIn('shop', user)).toEqual(['session']);
});

it('a dry run says how many users its mapping concerns, and releases nothing', async () => {
  const product = unique('prod');
  const owned = started({ product, metadata: { user_id: unique('user'), project_id: 'second' } });
  await world.deliver(owned.event);
  const { result } = await sellWhole(null, {}, 'second');
  const key = { projectId: 'second', productId: result.productId };
  const patch = { stripe_product_id: product };
  const tried = await tryChange(world.database, (database) => patchProduct(database, { key, patch, actor }));
  expect(tried).toMatchObject({ affectedUsers: 1, changes: [{ path: 'stripe_product_id', after: product }] });
  expect(await world.outcomeOf(owned.event)).toBe('quarantined:unknown_price');
});
