import { minuteMs } from '@billing/domain';
import { uniqueId } from '../testing/start-commerce.test-support.ts';
import { daySeconds, startChangeWorld } from './changes.test-support.ts';
import type { ChangeWorld } from './changes.test-support.ts';

let world: ChangeWorld;
let basic: Awaited<ReturnType<ChangeWorld['plan']>>;
let pro: typeof basic;
let once: typeof basic;
let metered: string;
beforeAll(async () => {
  world = await startChangeWorld();
  basic = await world.plan({ amount: 1_000, group: 'plan', rank: 1 });
  pro = await world.plan({ amount: 3_000, group: 'plan', rank: 2 });
  once = await world.plan({ amount: 500, interval: 'one_time' });
  metered = await meteredPrice();
});
afterAll(() => world.close());

async function meteredPrice(): Promise<string> {
  const { stripe, api, projectId } = world;
  const meter = await stripe.billing.meters.create({
    display_name: 'Calls',
    event_name: uniqueId('calls'),
    default_aggregation: { formula: 'sum' },
  });
  const price = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 5,
    product_data: { name: 'Calls' },
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
  });
  const product_id = (await world.plan({ amount: 1 })).productId;
  const priceId = uniqueId('metered');
  const mapped = { price_id: priceId, product_id, stripe_price_id: price.id };
  await api.admin('post', `/projects/${projectId}/prices`, mapped).expect(201);
  return priceId;
}

type Given = { id: string; customerId: string };
const toPro = () => ({ items: [{ price_id: pro.priceId }] });

const states: [string, (given: Given) => Promise<unknown>, object][] = [
  ['canceled', ({ id }) => world.stripe.subscriptions.cancel(id), {}],
  [
    'paused by pause_collection',
    ({ id }) => world.stripe.subscriptions.update(id, { pause_collection: { behavior: 'void' } }),
    {},
  ],
  [
    'canceled at the end, and the change would be later',
    ({ id }) => world.stripe.subscriptions.update(id, { cancel_at_period_end: true }),
    { effective: 'period_end' },
  ],
];

test.each(states)('%s: not_changeable', async (_name, prepare, more) => {
  const given = await world.subscribe([basic.stripePriceId]);
  await prepare(given);
  for (const call of [world.preview, world.change]) {
    const { body } = await call(given.id, { ...toPro(), ...more }).expect(409);
    expect(body.code).toBe('not_changeable');
  }
});

test.each(['incomplete', 'paused'] as const)('%s: not_changeable', async (status) => {
  const given =
    status === 'incomplete'
      ? await world.subscribe([basic.stripePriceId], { payment_behavior: 'default_incomplete' })
      : await world.subscribe([basic.stripePriceId], {
          trial_period_days: 1,
          trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
        });
  if (status === 'paused') await world.offline('clock', { advance_seconds: daySeconds + 1 });
  expect((await world.stripe.subscriptions.retrieve(given.id)).status).toBe(status);
  expect((await world.change(given.id, toPro()).expect(409)).body.code).toBe('not_changeable');
});

test('what may be wanted', async () => {
  const archived = await world.plan({ amount: 2_000 });
  await world.api
    .admin('patch', `/projects/${world.projectId}/prices/${archived.priceId}`, { is_archived: true })
    .expect(200);
  const { id } = await world.subscribe([basic.stripePriceId]);
  const refusals: [object, number, string][] = [
    [{ items: [] }, 400, 'invalid_request'],
    [{ items: [{ price_id: 'price_unknown' }] }, 404, 'price_not_found'],
    [{ items: [{ price_id: archived.priceId }] }, 400, 'price_archived'],
    [{ items: [{ price_id: once.priceId }] }, 400, 'mode_mismatch'],
    [{ items: [{ price_id: basic.priceId }, { price_id: basic.stripePriceId }] }, 400, 'invalid_request'],
    [{ items: [{ price_id: basic.priceId }, { price_id: pro.priceId }] }, 400, 'group_conflict'],
    [{ items: [{ price_id: basic.priceId, quantity: 0 }] }, 400, 'invalid_request'],
    [{ items: [{ price_id: basic.priceId }, { price_id: metered, quantity: 1 }] }, 400, 'invalid_request'],
    [{ items: [], unknown: 1 }, 400, 'invalid_request'],
  ];
  for (const [body, status, code] of refusals) {
    const answer = await world.preview(id, body);
    expect([body, answer.status, answer.body.code]).toEqual([body, status, code]);
  }
});

test('what Stripe refuses is not_changeable, and says what', async () => {
  const { id } = await world.subscribe([basic.stripePriceId]);
  const dear = await world.plan({ amount: 9_000, group: 'plan', rank: 3 });
  await world.stripe.prices.update(dear.stripePriceId, { active: false });
  for (const call of [world.preview, world.change]) {
    const { body } = await call(id, { items: [{ price_id: dear.priceId }] }).expect(409);
    expect(body).toMatchObject({
      code: 'not_changeable',
      errors: [{ path: 'items', message: 'is not active at Stripe' }],
    });
  }
  const { body } = await world.get(id).expect(200);
  expect(body).toMatchObject({ items: [{ price_id: basic.priceId }], pending_change: null });
});

test("another project's subscription, and one that nobody has, are not found", async () => {
  const { id } = await world.subscribe([basic.stripePriceId]);
  const { apiKey } = await world.api.createProject();
  for (const [method, path, body] of [
    ['post', 'preview', toPro()],
    ['post', 'change', toPro()],
    ['delete', 'pending-change', undefined],
  ] as const) {
    const refusals = await Promise.all([
      world.send(method, `${id}/${path}`, { apiKey, ...(body && { body }) }),
      world.send(method, `sub_unknown/${path}`, { ...(body && { body }) }),
    ]);
    expect(refusals.map((one) => [one.status, one.body.code])).toEqual([
      [404, 'subscription_not_found'],
      [404, 'subscription_not_found'],
    ]);
  }
});

test('a price of another project that is on the same subscription is left alone', async () => {
  const other = await world.api.createProject();
  const theirs = await world.plan({ amount: 700 }, other.projectId);
  const { id } = await world.subscribe([basic.stripePriceId, theirs.stripePriceId]);
  await world.change(id, toPro()).expect(200);
  const pricesOf = async () =>
    (await world.stripe.subscriptions.retrieve(id)).items.data.map(({ price }) => price.id).sort();
  expect(await pricesOf()).toEqual([pro.stripePriceId, theirs.stripePriceId].sort());
  expect((await world.change(id, { items: [], effective: 'now' }).expect(200)).body.items).toEqual([]);
  expect(await pricesOf()).toEqual([theirs.stripePriceId]);
});

test('what another subscription of the user has is not brought in a second time', async () => {
  const seats = await world.plan({ amount: 400 });
  const { id: held, customerId, userId } = await world.subscribe([basic.stripePriceId]);
  const metadata = { user_id: userId, project_id: world.projectId };
  const { id } = await world.subscribe([seats.stripePriceId], { customer: customerId, metadata });
  const seat = { price_id: seats.priceId };
  for (const [plan, code] of [
    [pro, 'group_occupied'],
    [basic, 'already_subscribed'],
  ] as const)
    for (const call of [world.preview, world.change]) {
      const { body } = await call(id, { items: [seat, { price_id: plan.priceId }] }).expect(409);
      expect(body).toMatchObject({ code, errors: [{ path: 'items', message: held }] });
    }
  await world.change(id, { items: [{ ...seat, quantity: 2 }] }).expect(200);
  await world.change(held, toPro()).expect(200);
});

test("what another project has planned is not given up by a change of this one's", async () => {
  const other = await world.api.createProject();
  const small = await world.plan({ amount: 700 }, other.projectId);
  const large = await world.plan({ amount: 900 }, other.projectId);
  const { id } = await world.subscribe([basic.stripePriceId, large.stripePriceId]);
  const ask = (apiKey: string, body: object) =>
    world.send('post', `${id}/change`, { apiKey, body: { ...body, effective: 'period_end' } });
  const toSmall = { items: [{ price_id: small.priceId }] };
  const { customer } = await world.stripe.subscriptions.retrieve(id);
  await world.api
    .admin('post', `/projects/${other.projectId}/customers`, {
      user_id: uniqueId('theirs'),
      stripe_customer_id: customer,
    })
    .expect(201);
  const planned = await ask(other.apiKey, toSmall).expect(200);
  expect(planned.body.pending_change.items).toMatchObject([{ price_id: small.priceId }]);
  expect((await ask(world.apiKey, toPro()).expect(409)).body.code).toBe('shared_subscription');
  expect((await world.drop(id).expect(409)).body.code).toBe('shared_subscription');
  await ask(world.apiKey, { items: [{ price_id: basic.priceId }] }).expect(200);
  const theirs = () => world.send('get', id, { apiKey: other.apiKey }).expect(200);
  expect((await theirs()).body.pending_change).toEqual(planned.body.pending_change);
  await world.send('delete', `${id}/pending-change`, { apiKey: other.apiKey }).expect(200);
  await ask(world.apiKey, toPro()).expect(200);
  await world.drop(id).expect(200);
});

describe('a preview is out of date', () => {
  const refusal = () => [409, 'preview_outdated', [{ price_id: basic.priceId }]];

  /** What is answered, and what the subscription has then. */
  async function refusalOf(id: string, body: object): Promise<unknown[]> {
    const { status, body: answer } = await world.change(id, body);
    const { items } = (await world.get(id)).body;
    return [status, answer.code, items.map(({ price_id }: { price_id: string }) => ({ price_id }))];
  }

  test('for another change, in another subscription, forged', async () => {
    const { id } = await world.subscribe([basic.stripePriceId]);
    const second = await world.subscribe([basic.stripePriceId]);
    const { body: shown } = await world.preview(id, toPro()).expect(200);
    const token = shown.preview_token as string;
    const twice = { items: [{ price_id: pro.priceId, quantity: 2 }], preview_token: token };
    expect(await refusalOf(id, twice)).toEqual(refusal());
    expect(await refusalOf(id, { ...toPro(), proration: 'prorate', preview_token: token })).toEqual(
      refusal(),
    );
    expect(await refusalOf(id, { ...toPro(), preview_token: `${token}x` })).toEqual(refusal());
    expect(await refusalOf(second.id, { ...toPro(), preview_token: token })).toEqual(refusal());
  });

  test.each<[string, (customerId: string) => Promise<unknown> | void]>([
    [
      'when the amount is another one',
      (customer) =>
        world.stripe.customers.createBalanceTransaction(customer, { amount: -300, currency: 'usd' }),
    ],
    ['after ten minutes', () => world.api.clock.advance(10 * minuteMs)],
    [
      'after the period in which it was made',
      () => world.offline('clock', { advance_seconds: 40 * daySeconds }),
    ],
  ])('%s', async (_when, pass) => {
    const { id, customerId } = await world.subscribe([basic.stripePriceId]);
    const { body: shown } = await world.preview(id, toPro()).expect(200);
    await pass(customerId);
    expect(await refusalOf(id, { ...toPro(), preview_token: shown.preview_token })).toEqual(refusal());
  });
});
