import { startCommerce, uniqueId } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';

let commerce: Commerce;
let projectId: string;
let apiKey: string;
let mapped: { stripePriceId: string; productId: string };

beforeAll(async () => {
  // Stripe is not to be called at all.
  commerce = await startCommerce();
  ({ projectId, apiKey } = await commerce.createProject());
  mapped = await commerce.sell(projectId, { featureCodes: ['premium'] });
  await commerce.fault('hang');
});
afterAll(() => commerce.close());

type Waiting = {
  customer: string;
  price?: string;
  claims?: { claimedProjectId?: string; claimedUserId?: string };
  reason?: string;
  awaits?: string;
  owner?: bigint;
};

/** A subscription without an owner (or with `owner`), as the worker leaves it, and its event in quarantine. */
async function quarantine(waiting: Waiting): Promise<{ id: string; eventId: string }> {
  const { customer, price = mapped.stripePriceId, claims = {}, owner } = waiting;
  const [id, eventId, now] = [uniqueId('sub'), uniqueId('evt'), new Date(commerce.deps.clock())];
  await commerce.deps.database.subscription.create({
    data: {
      id,
      status: 'active',
      stripeCustomerId: customer,
      ...claims,
      ...(owner === undefined ? {} : { userRef: owner }),
      snapshotAt: now,
      snapshotEventId: eventId,
      items: {
        create: {
          itemId: 'si_1',
          stripePriceId: price,
          quantity: 1n,
          currentPeriodStart: now,
          currentPeriodEnd: new Date(now.getTime() + 86_400_000),
        },
      },
    },
  });
  await commerce.deps.database.stripeEvent.create({
    data: {
      eventId,
      type: 'customer.subscription.created',
      objectId: id,
      customerId: customer,
      status: 'quarantined',
      reason: waiting.reason ?? 'unknown_customer',
      awaits: waiting.awaits ?? customer,
      created: now,
      receivedAt: now,
      payload: {},
    },
  });
  return { id, eventId };
}

const eventOf = (eventId: string) =>
  commerce.deps.database.stripeEvent.findUniqueOrThrow({ where: { eventId } });

async function check(userId: string, key = apiKey) {
  const { body } = await commerce
    .http()
    .get('/api/v1/entitlements')
    .query({ user_id: userId })
    .set('authorization', `Bearer ${key}`)
    .expect(200);
  return body.entitlements.map((entitlement: { feature_code: string }) => entitlement.feature_code);
}

const map = (userId: string, customer: string) =>
  commerce.admin('post', `/projects/${projectId}/customers`, {
    user_id: userId,
    stripe_customer_id: customer,
  });

test('mapping a customer releases to the user all that waited for it', async () => {
  const [customer, userId] = [uniqueId('cus'), uniqueId('user')];
  const { id, eventId } = await quarantine({ customer });
  await commerce.deps.database.purchase.create({
    data: {
      id: uniqueId('pi'),
      sessionId: uniqueId('cs'),
      status: 'pending',
      stripeCustomerId: customer,
    },
  });
  const listed = await commerce.admin('get', '/quarantine').expect(200);
  expect(listed.body.data).toContainEqual(
    expect.objectContaining({ event_id: eventId, reason: 'unknown_customer', awaits: customer }),
  );
  expect(await check(userId)).toEqual([]);
  const response = await map(userId, customer).expect(201);
  expect(response.body).toMatchObject({
    user_id: userId,
    stripe_customer_id: customer,
    healed: { subscriptions: 1, purchases: 1, events: 1 },
  });
  expect(await check(userId)).toEqual(['premium']);
  expect(await eventOf(eventId)).toMatchObject({ status: 'applied', reason: null, awaits: null });
  const row = await commerce.deps.database.subscription.findUniqueOrThrow({ where: { id } });
  expect(row.rowVersion).toBe(2n);
  const { body } = await commerce.admin('get', `/events?object_id=${id}`).expect(200);
  expect(body.data).toMatchObject([{ event_id: eventId, status: 'applied', object_id: id, attempts: 1 }]);
});

test('our mapping wins over what an object claimed before: both users’ next reads are right', async () => {
  const [customer, claimant, userId] = [uniqueId('cus'), uniqueId('user'), uniqueId('user')];
  const owner = await commerce.deps.database.user.create({ data: { projectId, userId: claimant } });
  await quarantine({ customer, owner: owner.id });
  expect(await check(claimant)).toEqual(['premium']);
  await map(userId, customer).expect(201);
  expect(await check(claimant)).toEqual([]);
  expect(await check(userId)).toEqual(['premium']);
});

test('mapping a customer who has nothing changes no version', async () => {
  const userId = uniqueId('user');
  await map(userId, uniqueId('cus')).expect(201);
  const user = await commerce.deps.database.user.findUniqueOrThrow({
    where: { projectId_userId: { projectId, userId } },
  });
  expect(user.version).toBe(0n);
  expect(await commerce.deps.database.cacheInvalidation.count({ where: { userId } })).toBe(0);
});

test('an event whose customer is mapped still waits for its unknown price', async () => {
  const [customer, price, userId] = [uniqueId('cus'), uniqueId('price'), uniqueId('user')];
  const { eventId } = await quarantine({ customer, price });
  await map(userId, customer).expect(201);
  expect(await eventOf(eventId)).toMatchObject({
    status: 'quarantined',
    reason: 'unknown_price',
    awaits: price,
  });
  expect(await check(userId)).toEqual([]);
  await mapPrice(price);
  expect(await eventOf(eventId)).toMatchObject({ status: 'applied', awaits: null });
  expect(await check(userId)).toEqual(['premium']);
});

const mapPrice = (stripePriceId: string) =>
  commerce
    .admin('post', `/projects/${projectId}/prices`, {
      product_id: mapped.productId,
      stripe_price_id: stripePriceId,
      amount: 1,
      currency: 'usd',
      interval: 'month',
    })
    .expect(201);

test('mapping a price also gives objects to the users they name without a project', async () => {
  const [customer, price, userId] = [uniqueId('cus'), uniqueId('price'), uniqueId('user')];
  const claims = { claimedUserId: userId };
  const { eventId } = await quarantine({ customer, price, claims, reason: 'unknown_project' });
  await mapPrice(price);
  expect(await check(userId)).toEqual(['premium']);
  expect(await eventOf(eventId)).toMatchObject({ status: 'applied' });
});

test('making a project gives objects to the users they name in it', async () => {
  const [customer, userId, made] = [uniqueId('cus'), uniqueId('user'), uniqueId('made')];
  const claims = { claimedUserId: userId, claimedProjectId: made };
  const price = uniqueId('price');
  const { id, eventId } = await quarantine({ customer, price, claims, reason: 'unknown_project' });
  await commerce.admin('post', '/projects', { project_id: made, name: 'Made' }).expect(201);
  const row = await commerce.deps.database.subscription.findUniqueOrThrow({
    where: { id },
    include: { user: true },
  });
  expect(row.user).toMatchObject({ projectId: made, userId });
  expect(await eventOf(eventId)).toMatchObject({
    status: 'quarantined',
    reason: 'unknown_price',
    awaits: price,
  });
});

test('an event that waits for other reasons stays', async () => {
  const [customer, userId] = [uniqueId('cus'), uniqueId('user')];
  const { eventId } = await quarantine({ customer, reason: 'invalid_object' });
  await map(userId, customer).expect(201);
  expect(await eventOf(eventId)).toMatchObject({ status: 'quarantined', reason: 'invalid_object' });
});

test('the list of quarantined events continues at its cursor', async () => {
  const customer = uniqueId('cus');
  for (let count = 0; count < 3; count += 1) await quarantine({ customer });
  const all = await commerce.admin('get', '/quarantine?limit=100&reason=unknown_customer').expect(200);
  const one = await commerce.admin('get', '/quarantine?limit=1&reason=unknown_customer').expect(200);
  const rest = await commerce
    .admin('get', `/quarantine?limit=100&reason=unknown_customer&cursor=${one.body.next_cursor}`)
    .expect(200);
  expect([...one.body.data, ...rest.body.data]).toEqual(all.body.data);
});

test('many mappings at once that move objects between users end without an error', async () => {
  const customers = Array.from({ length: 8 }, () => uniqueId('cus'));
  const [one, other] = await Promise.all(
    [uniqueId('user'), uniqueId('user')].map((userId) =>
      commerce.deps.database.user.create({ data: { projectId, userId } }),
    ),
  );
  for (const customer of customers) {
    await quarantine({ customer, ...(one === undefined ? {} : { owner: one.id }) });
    await quarantine({ customer, ...(other === undefined ? {} : { owner: other.id }) });
  }
  const responses = await Promise.all(
    customers.map((customer, index) => map(String(index % 2 === 0 ? one?.userId : other?.userId), customer)),
  );
  expect(responses.map(({ status }) => status)).toEqual(customers.map(() => 201));
});
