import { startCommerce, uniqueId } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';

let commerce: Commerce;

beforeAll(async () => {
  commerce = await startCommerce();
});
afterAll(() => commerce.close());

const read = (apiKey: string, projectId: string) =>
  commerce
    .http()
    .get(`/api/v1/metrics/project/${encodeURIComponent(projectId)}`)
    .set('authorization', `Bearer ${apiKey}`);

type Item = [stripePriceId: string, quantity: number, price?: object];

async function subscribe(projectId: string, status: string | null, items: Item[], more: object = {}) {
  const user = await commerce.deps.database.user.create({ data: { projectId, userId: uniqueId('user') } });
  await commerce.deps.database.subscription.create({
    data: {
      id: uniqueId('sub'),
      status,
      userRef: user.id,
      ...more,
      items: {
        create: items.map(([stripePriceId, quantity, price = {}], index) => ({
          itemId: `si_${index}`,
          stripePriceId,
          quantity: BigInt(quantity),
          ...price,
        })),
      },
    },
  });
}

test('a project without subscriptions', async () => {
  const { projectId, apiKey } = await commerce.createProject();
  const { body } = await read(apiKey, projectId).expect(200);
  expect(body).toEqual({
    project_id: projectId,
    active_subscriptions: 0,
    trialing_subscriptions: 0,
    total_subscriptions: 0,
    mrr: [],
    estimated_mrr_cents: 0,
    estimated_mrr_dollars: 0,
  });
});

test('a year counts a twelfth, trials nothing, quantities and items add up, other projects do not', async () => {
  const { projectId, apiKey } = await commerce.createProject();
  const other = await commerce.createProject();
  const month = (await commerce.sell(projectId, { amount: 1999 })).stripePriceId;
  const year = (await commerce.sell(projectId, { amount: 10_000, interval: 'year' })).stripePriceId;
  const foreign = (await commerce.sell(other.projectId, { amount: 77_777 })).stripePriceId;
  await subscribe(projectId, 'active', [
    [month, 2],
    [year, 1],
  ]);
  await subscribe(projectId, 'active', [['price_nobody_mapped', 5]]);
  await subscribe(projectId, 'active', [[foreign, 1]]);
  await subscribe(projectId, 'trialing', [[month, 1]]);
  await subscribe(projectId, 'past_due', [[month, 1]]);
  await subscribe(projectId, 'canceled', [[month, 1]]);
  await subscribe(projectId, null, []);
  await subscribe(other.projectId, 'active', [[foreign, 1]]);
  const { body } = await read(apiKey, projectId).expect(200);
  // Past due, and within its grace.
  const cents = Math.round(3 * 1999 + 10_000 / 12);
  expect(body).toEqual({
    project_id: projectId,
    active_subscriptions: 3,
    trialing_subscriptions: 1,
    total_subscriptions: 6,
    mrr: [{ currency: 'usd', amount: cents }],
    estimated_mrr_cents: cents,
    estimated_mrr_dollars: cents / 100,
  });
});

/** An item's price as Stripe rendered it. */
const rendered = (unitAmount: string | null, currency: string, more: object = {}) => ({
  unitAmount,
  currency,
  interval: 'month',
  intervalCount: 1,
  usageType: 'licensed',
  ...more,
});

test('¥1,000 and $10 are not 2,000 cents', async () => {
  const { projectId, apiKey } = await commerce.createProject();
  const { stripePriceId } = await commerce.sell(projectId);
  await subscribe(projectId, 'active', [[stripePriceId, 1, rendered('1000', 'usd')]]);
  for (const _ of [1, 2]) await subscribe(projectId, 'active', [[stripePriceId, 1, rendered('1000', 'jpy')]]);
  const { body } = await read(apiKey, projectId).expect(200);
  expect(body).toMatchObject({
    mrr: [
      { currency: 'jpy', amount: 2000 },
      { currency: 'usd', amount: 1000 },
    ],
    // The main currency is that of most subscriptions; a yen has no smaller unit.
    estimated_mrr_cents: 2000,
    estimated_mrr_dollars: 2000,
  });
});

test('a thousand fils make a dinar', async () => {
  const { projectId, apiKey } = await commerce.createProject();
  const { stripePriceId } = await commerce.sell(projectId);
  await subscribe(projectId, 'active', [[stripePriceId, 1, rendered('1500', 'kwd')]]);
  const { body } = await read(apiKey, projectId).expect(200);
  expect(body).toMatchObject({ estimated_mrr_cents: 1500, estimated_mrr_dollars: 1.5 });
});

test('an item costs what Stripe says, else what the catalog says; a quarter is three months', async () => {
  const { projectId, apiKey } = await commerce.createProject();
  const { stripePriceId } = await commerce.sell(projectId, { amount: 500 });
  await subscribe(projectId, 'active', [[stripePriceId, 2]]);
  await subscribe(projectId, 'active', [[stripePriceId, 1, rendered('3000', 'usd', { intervalCount: 3 })]]);
  await subscribe(projectId, 'active', [[stripePriceId, 1, rendered('1000', 'usd', { interval: 'week' })]]);
  await subscribe(projectId, 'active', [[stripePriceId, 25, rendered('100', 'usd', { billedQuantity: 3n })]]);
  await subscribe(projectId, 'active', [
    [stripePriceId, 9, rendered('100', 'usd', { usageType: 'metered' })],
  ]);
  await subscribe(projectId, 'active', [[stripePriceId, 9, rendered(null, 'usd')]]);
  const { body } = await read(apiKey, projectId).expect(200);
  expect(body.mrr).toEqual([{ currency: 'usd', amount: 1000 + 1000 + 4333 + 300 }]);
});

test('paused with void does not count, nor past due beyond the grace of the project', async () => {
  const { projectId, apiKey } = await commerce.createProject();
  const { stripePriceId } = await commerce.sell(projectId, { amount: 500 });
  const item: Item = [stripePriceId, 1];
  const daysAgo = (days: number) => ({ pastDueSince: new Date(Date.now() - days * 86_400_000) });
  await subscribe(projectId, 'active', [item], { collectionPaused: true, pauseBehavior: 'void' });
  await subscribe(projectId, 'active', [item], { collectionPaused: true, pauseBehavior: 'keep_as_draft' });
  await subscribe(projectId, 'active', [item], { collectionPaused: true });
  await subscribe(projectId, 'past_due', [item], daysAgo(6));
  await subscribe(projectId, 'past_due', [item], daysAgo(8));
  await subscribe(projectId, 'unpaid', [item]);
  await subscribe(projectId, 'paused', [item]);
  const mrr = async () => (await read(apiKey, projectId).expect(200)).body.mrr;
  expect(await mrr()).toEqual([{ currency: 'usd', amount: 1500 }]);
  await commerce
    .admin('patch', `/projects/${projectId}`, { policy: { past_due_grace_days: 30 } })
    .expect(200);
  expect(await mrr()).toEqual([{ currency: 'usd', amount: 2000 }]);
});

test('coupons that last reduce it', async () => {
  const { projectId, apiKey } = await commerce.createProject();
  const { stripePriceId } = await commerce.sell(projectId, { amount: 1000 });
  const discount = (coupon: object | null, more: object = {}) => [
    {
      discountId: uniqueId('di'),
      itemId: null,
      end: null,
      coupon: coupon === null ? null : { percentOff: '50', amountOff: null, currency: null, ...coupon },
      ...more,
    },
  ];
  const [past, future] = [Date.now() - 1000, Date.now() + 3_600_000];
  for (const discounts of [
    discount({ duration: 'forever' }),
    discount({ duration: 'forever' }),
    discount({ duration: 'repeating' }, { end: future }),
    discount({ duration: 'repeating' }, { end: past }),
    discount({ duration: 'once' }),
    discount({ duration: 'forever', percentOff: null, amountOff: 100, currency: 'usd' }),
    discount({ duration: 'forever' }, { itemId: 'si_0' }),
    discount({ duration: 'forever' }, { itemId: 'si_of_nobody' }),
    discount(null),
    [],
  ])
    await subscribe(projectId, 'active', [[stripePriceId, 1]], { discounts });
  const { body } = await read(apiKey, projectId).expect(200);
  expect(body.mrr).toEqual([{ currency: 'usd', amount: 3 * 500 + 1000 + 1000 + 900 + 500 + 3 * 1000 }]);
});

test('only its own project, only with a key, only GET', async () => {
  const { projectId, apiKey } = await commerce.createProject();
  const other = await commerce.createProject();
  for (const foreign of [other.projectId, 'nobody'])
    expect((await read(apiKey, foreign).expect(403)).body.code).toBe('project_mismatch');
  await commerce.http().get(`/api/v1/metrics/project/${projectId}`).expect(401);
  const response = await commerce.http().post(`/api/v1/metrics/project/${projectId}`).expect(405);
  expect(response.headers['allow']).toBe('GET, HEAD');
});
