import { bringIn, subscribe } from '../../testing/subscribe.test-support.ts';
import { startCommerce, uniqueId } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';

let commerce: Commerce;
let project: { projectId: string; apiKey: string };
let other: { projectId: string; apiKey: string };
let price: Awaited<ReturnType<Commerce['sell']>>;
let priceOfOther: Awaited<ReturnType<Commerce['sell']>>;

beforeAll(async () => {
  commerce = await startCommerce();
  [project, other] = await Promise.all([commerce.createProject(), commerce.createProject()]);
  price = await commerce.sell(project.projectId);
  priceOfOther = await commerce.sell(other.projectId);
});
afterAll(() => commerce.close());

const get = (path: string, apiKey = project.apiKey) =>
  commerce.http().get(`/api/v1/subscriptions${path}`).set('authorization', `Bearer ${apiKey}`);

const ofUser = (userId = uniqueId('user')) => ({
  projectId: project.projectId,
  userId,
  stripePriceIds: [price.stripePriceId],
});

const idsOf = (body: { data: { subscription_id: string }[] }): string[] =>
  body.data.map((one) => one.subscription_id);

test('a subscription is shown as Stripe has it, with our names of what it sells', async () => {
  const wanted = ofUser();
  const id = await subscribe(commerce, wanted);
  const rendered = await commerce.stripe.subscriptions.retrieve(id);
  const [item] = rendered.items.data;
  const moment = (seconds = 0): string => new Date(seconds * 1000).toISOString();
  const { body } = await get(`/${id}`).expect(200);
  expect(body).toEqual({
    subscription_id: id,
    user_id: wanted.userId,
    status: 'active',
    items: [
      {
        item_id: item?.id,
        price_id: price.priceId,
        stripe_price_id: price.stripePriceId,
        product_id: price.productId,
        quantity: 1,
        current_period_start: moment(item?.current_period_start),
        current_period_end: moment(item?.current_period_end),
      },
    ],
    cancel_at: null,
    cancel_at_period_end: false,
    ended_at: null,
    trial_end: null,
    pause_collection: null,
    pending_change: null,
    pending_payment: null,
    is_duplicate: false,
    confirmed: true,
    created: moment(rendered.created),
  });
  expect((await get(`?user_id=${wanted.userId}`).expect(200)).body).toEqual({
    data: [body],
    next_cursor: null,
  });
});

test('a metered item has no quantity, an unmapped price no id of ours', async () => {
  const meter = await commerce.stripe.billing.meters.create({
    display_name: 'Calls',
    event_name: uniqueId('calls'),
    default_aggregation: { formula: 'sum' },
  });
  const metered = await commerce.stripe.prices.create({
    currency: 'usd',
    unit_amount: 5,
    product_data: { name: 'Calls' },
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
  });
  const wanted = ofUser();
  const id = await subscribe(commerce, { ...wanted, stripePriceIds: [price.stripePriceId, metered.id] });
  const { body } = await get(`/${id}`).expect(200);
  expect(body.items).toHaveLength(2);
  expect(body.items).toContainEqual(
    expect.objectContaining({
      price_id: null,
      stripe_price_id: metered.id,
      product_id: null,
      quantity: null,
    }),
  );
});

test('a planned change has a price that is sold by its Stripe product alone, and none where another project plans', async () => {
  const { stripe } = commerce;
  const mapped = await stripe.products.create({ name: 'Mapped' });
  const product_id = uniqueId('product');
  const body = { product_id, name: 'Mapped', stripe_product_id: mapped.id };
  await commerce.admin('post', `/projects/${project.projectId}/products`, body).expect(201);
  const custom = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 900,
    product: mapped.id,
    recurring: { interval: 'month' },
  });
  /** A subscription with these prices, of which all will be there twice, but for the custom one as it is said. */
  async function planned(prices: string[], customs: number): Promise<unknown> {
    const id = await subscribe(commerce, { ...ofUser(), stripePriceIds: prices });
    const { id: schedule, phases } = await stripe.subscriptionSchedules.create({ from_subscription: id });
    const [{ start_date, end_date } = { start_date: 0, end_date: 0 }] = phases;
    const itemsOf = (customized: number, others: number) =>
      prices.map((one) => ({ price: one, quantity: one === custom.id ? customized : others }));
    await stripe.subscriptionSchedules.update(schedule, {
      end_behavior: 'release',
      phases: [
        { start_date, end_date, items: itemsOf(1, 1) },
        { start_date: end_date, items: itemsOf(customs, 2), duration: { interval: 'month' } },
      ],
    });
    await bringIn(commerce, id);
    return (await get(`/${id}`).expect(200)).body.pending_change;
  }
  const own = { price_id: null, stripe_price_id: custom.id, product_id, quantity: 2 };
  expect(await planned([custom.id], 2)).toMatchObject({ items: [own] });
  const shared = [custom.id, priceOfOther.stripePriceId];
  expect(await planned(shared, 2)).toMatchObject({ items: [own] });
  expect(await planned(shared, 1)).toBeNull();
});

test('all of a user are listed, newest first, in pages and by status', async () => {
  const wanted = ofUser();
  const first = await subscribe(commerce, wanted);
  await commerce.stripe.subscriptions.cancel(first);
  await bringIn(commerce, first);
  await commerce.deps.database.subscription.update({
    where: { id: first },
    data: { stripeCreatedAt: new Date(Date.now() - 60_000) },
  });
  const second = await subscribe(commerce, wanted);
  const user = `?user_id=${wanted.userId}`;
  expect(idsOf((await get(user).expect(200)).body)).toEqual([second, first]);
  expect(idsOf((await get(`${user}&status=canceled`).expect(200)).body)).toEqual([first]);
  const page = await get(`${user}&limit=1`).expect(200);
  expect(idsOf(page.body)).toEqual([second]);
  const next = await get(`${user}&limit=1&cursor=${page.body.next_cursor}`).expect(200);
  expect(idsOf(next.body)).toEqual([first]);
  expect(next.body.next_cursor).toBeNull();
  expect((await get('?user_id=nobody').expect(200)).body).toEqual({ data: [], next_cursor: null });
  await get(`${user}&status=ended`).expect(400);
});

test('all but the oldest live one with the same price, or of the same group, are duplicates', async () => {
  const { projectId } = project;
  const [basic, pro] = [await commerce.sell(projectId), await commerce.sell(projectId)];
  const group = uniqueId('group');
  for (const { productId } of [basic, pro])
    await commerce.admin('patch', `/projects/${projectId}/products/${productId}`, { group }).expect(200);
  const { userId } = ofUser();
  const ids: string[] = [];
  for (const [age, one] of [basic, pro, basic, price].entries()) {
    const id = await subscribe(commerce, { projectId, userId, stripePriceIds: [one.stripePriceId] });
    const stripeCreatedAt = new Date(Date.now() - (10 - age) * 60_000);
    await commerce.deps.database.subscription.update({ where: { id }, data: { stripeCreatedAt } });
    ids.push(id);
  }
  const marks = async (): Promise<boolean[]> => {
    const { body } = await get(`?user_id=${userId}`).expect(200);
    const rows: { subscription_id: string; is_duplicate: boolean }[] = body.data;
    return ids.map((id) => rows.find((row) => row.subscription_id === id)?.is_duplicate ?? false);
  };
  expect(await marks()).toEqual([false, true, true, false]);
  expect((await get(`/${ids[1]}`).expect(200)).body.is_duplicate).toBe(true);
  await commerce.stripe.subscriptions.cancel(ids[0] ?? '');
  await bringIn(commerce, ids[0] ?? '');
  expect(await marks()).toEqual([false, false, true, false]);
});

describe('a project sees nothing of', () => {
  const answersTo = async (id: string, apiKey: string, userId: string): Promise<unknown[]> => {
    const answer = await get(`/${id}`, apiKey);
    const unknown = await get('/sub_unknown', apiKey);
    const listed = idsOf((await get(`?user_id=${userId}`, apiKey).expect(200)).body);
    return [answer.status, answer.body.code, answer.body.detail === unknown.body.detail, ...listed];
  };
  const hidden = [404, 'subscription_not_found', true];

  test("another project's subscriptions", async () => {
    const wanted = ofUser();
    const id = await subscribe(commerce, wanted);
    expect(await answersTo(id, other.apiKey, wanted.userId)).toEqual(hidden);
  });

  test('what only a buyer says is of its user, until that is confirmed', async () => {
    const { userId } = ofUser();
    const id = await subscribe(commerce, { ...ofUser(userId), metadata: {} });
    const claims = { claimedUserId: userId, claimedUserSource: 'buyer_hint' };
    await commerce.deps.database.subscription.update({ where: { id }, data: claims });
    await bringIn(commerce, id);
    expect(await answersTo(id, project.apiKey, userId)).toEqual(hidden);
    await commerce
      .http()
      .post('/api/v1/customers/confirm')
      .set('authorization', `Bearer ${project.apiKey}`)
      .send({ user_id: userId, source_id: id })
      .expect(200);
    await get(`/${id}`).expect(200);
  });

  test("another project's items of a shared one", async () => {
    const wanted = { ...ofUser(), stripePriceIds: [price.stripePriceId, priceOfOther.stripePriceId] };
    const id = await subscribe(commerce, wanted);
    const { body } = await get(`/${id}`).expect(200);
    expect(body.items.map((item: { price_id: string }) => item.price_id)).toEqual([price.priceId]);
    expect(JSON.stringify(body)).not.toContain(priceOfOther.stripePriceId);
  });
});
