import {
  assignObject,
  createPrice,
  findPortalCustomer,
  mapCustomer,
  moveCustomer,
  readSources,
} from '@billing/store';
import {
  paymentIntentObject,
  periodStart,
  sessionObject,
  stripeEvent,
  subscriptionObject,
  waitFor,
} from '@billing/testing';
import type { SessionParts, SubscriptionParts } from '@billing/testing';
import { startTestWorker, uniqueId } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';

let world: TestWorker;
beforeAll(async () => {
  world = await startTestWorker();
  await addProject('second', 'price_second', 'second_feature');
});
afterEach(() => world.control('/faults', { mode: 'none' }));
afterAll(() => world.close());

const at = periodStart * 1000 + 1;
const actor = { name: 'tester', requestId: null };

async function addProject(projectId: string, stripePriceId: string, feature: string): Promise<void> {
  await world.database.project.create({ data: { id: projectId, name: projectId } });
  const product = { projectId, productId: feature };
  await world.database.product.create({ data: { ...product, name: feature, featureCodes: [feature] } });
  await world.database.price.create({
    data: {
      ...product,
      priceId: `our_${stripePriceId}`,
      stripePriceId,
      amount: 1n,
      currency: 'usd',
      interval: 'month',
    },
  });
}

const subscribed = (parts: SubscriptionParts, created = periodStart) =>
  stripeEvent({
    type: 'customer.subscription.updated',
    object: subscriptionObject({ latestInvoice: null, ...parts }),
    created,
  });

const completed = (parts: SessionParts) =>
  stripeEvent({ type: 'checkout.session.completed', object: sessionObject(parts) });

const featuresOf = async (userId: string, projectId = 'shop') =>
  (await world.features(at, userId, projectId)).map((one) => one.featureCode);

const map = (projectId: string, userId: string, customer: string) =>
  mapCustomer(world.database, {
    projectId,
    request: { user_id: userId, stripe_customer_id: customer },
    actor,
  });

const inBothOrders = [
  ['as Stripe sends them', false],
  ['the other way round', true],
] as const;

describe('project and user are claims of their own', () => {
  it.each(inBothOrders)(
    'a Payment Link that names the project in metadata and the user by client_reference_id: %s',
    async (_order, isReversed) => {
      const [id, customer, userId] = [uniqueId('sub'), uniqueId('cus'), uniqueId('user')];
      const events = [
        subscribed({ id, customer, metadata: { project_id: 'shop' } }),
        completed({
          id: uniqueId('cs'),
          mode: 'subscription',
          customer,
          subscription: id,
          clientReferenceId: userId,
        }),
      ];
      await world.deliver(...(isReversed ? events.reverse() : events));
      expect(await featuresOf(userId)).toEqual(['pro']);
      for (const event of events) expect(await world.outcomeOf(event)).toBe('applied');
      const read = await readSources(world.database, 'shop', [userId], { isExplained: true });
      expect(read.get(userId)?.sources.subscriptions).toMatchObject([{ id, ownerSource: 'buyer_hint' }]);
    },
  );

  it.each(inBothOrders)('the same of a one-time payment: %s', async (_order, isReversed) => {
    const [id, userId] = [uniqueId('pi'), uniqueId('user')];
    const metadata = { project_id: 'shop', price_id: 'our_once' };
    const events = [
      stripeEvent({
        type: 'payment_intent.succeeded',
        object: paymentIntentObject({ id, customer: null, metadata }),
      }),
      completed({ id: uniqueId('cs'), paymentIntent: id, customer: null, clientReferenceId: userId }),
    ];
    await world.deliver(...(isReversed ? events.reverse() : events));
    expect(await featuresOf(userId)).toEqual(['export']);
    for (const event of events) expect(await world.outcomeOf(event)).toBe('applied');
  });

  it.each(inBothOrders)('metadata beats a hint: %s', async (_order, isReversed) => {
    const [id, customer, userId, hinted] = [
      uniqueId('sub'),
      uniqueId('cus'),
      uniqueId('user'),
      uniqueId('hint'),
    ];
    const events = [
      subscribed({ id, customer, metadata: { user_id: userId } }),
      completed({
        id: uniqueId('cs'),
        mode: 'subscription',
        customer,
        subscription: id,
        clientReferenceId: hinted,
      }),
    ];
    await world.deliver(...(isReversed ? events.reverse() : events));
    expect([await featuresOf(userId), await featuresOf(hinted)]).toEqual([['pro'], []]);
    const read = await readSources(world.database, 'shop', [userId], { isExplained: true });
    expect(read.get(userId)?.sources.subscriptions).toMatchObject([{ id, ownerSource: 'metadata' }]);
  });

  it('a user whom metadata names in one project is nobody in another', async () => {
    const [id, userId] = [uniqueId('sub'), uniqueId('user')];
    const event = subscribed({
      id,
      customer: uniqueId('cus'),
      metadata: { user_id: userId, project_id: 'second' },
    });
    await world.deliver(event);
    expect(await world.outcomeOf(event)).toBe('quarantined:price_of_other_project');
    expect([await featuresOf(userId), await featuresOf(userId, 'second')]).toEqual([[], []]);
  });
});

describe('a price of another project on a mapped customer', () => {
  it('is quarantined, and healed by mapping the customer there', async () => {
    const [id, customer] = [uniqueId('sub'), uniqueId('cus')];
    const [ann, bob] = [uniqueId('ann'), uniqueId('bob')];
    await map('shop', ann, customer);
    const event = subscribed({ id, customer, items: [{ priceId: 'price_second' }] });
    await world.deliver(event);
    expect(await world.outcomeOf(event)).toBe('quarantined:price_of_other_project');
    const read = await readSources(world.database, 'shop', [ann]);
    expect(read.get(ann)?.sources.subscriptions).toEqual([]);
    const mapped = await map('second', bob, customer);
    expect(mapped.result.released).toEqual({ subscriptions: 1, purchases: 0, events: 1 });
    expect(await featuresOf(bob, 'second')).toEqual(['second_feature']);
    expect(await world.outcomeOf(event)).toBe('applied');
    await expect(map('second', ann, customer)).rejects.toMatchObject({ code: 'customer_exists' });
  });

  it('beside one of the own project: each project sees its own items, and both versions grow', async () => {
    const [id, customer] = [uniqueId('sub'), uniqueId('cus')];
    const [ann, bob] = [uniqueId('ann'), uniqueId('bob')];
    await map('shop', ann, customer);
    const items = [{ priceId: 'price_sub' }, { priceId: 'price_second' }];
    const event = subscribed({ id, customer, items });
    await world.deliver(event);
    expect(await featuresOf(ann)).toEqual(['pro']);
    expect(await world.outcomeOf(event)).toBe('quarantined:price_of_other_project');
    await map('second', bob, customer);
    expect([await featuresOf(ann), await featuresOf(bob, 'second')]).toEqual([['pro'], ['second_feature']]);
    const read = await readSources(world.database, 'shop', [ann]);
    expect(read.get(ann)?.sources.subscriptions[0]?.items).toMatchObject([{ stripePriceId: 'price_sub' }]);
    const before = [await world.versionOf(ann), await world.versionOf(bob, 'second')];
    await world.deliver(subscribed({ id, customer, items, status: 'canceled' }, periodStart + 5));
    expect([await featuresOf(ann), await featuresOf(bob, 'second')]).toEqual([[], []]);
    const after = [await world.versionOf(ann), await world.versionOf(bob, 'second')];
    expect(after).toEqual(before.map((version) => (version ?? 0n) + 1n));
  });

  it('belongs to the user whom the object names there', async () => {
    const [id, customer, ann, bob] = [uniqueId('sub'), uniqueId('cus'), uniqueId('ann'), uniqueId('bob')];
    await map('shop', ann, customer);
    const metadata = { user_id: bob, project_id: 'second' };
    const items = [{ priceId: 'price_sub' }, { priceId: 'price_second' }];
    const event = subscribed({ id, customer, items, metadata });
    await world.deliver(event);
    expect([await featuresOf(ann), await featuresOf(bob, 'second')]).toEqual([['pro'], ['second_feature']]);
    expect(await world.outcomeOf(event)).toBe('applied');
    // The item goes, and with it what its user had.
    await world.deliver(subscribed({ id, customer, metadata }, periodStart + 5));
    expect([await featuresOf(ann), await featuresOf(bob, 'second')]).toEqual([['pro'], []]);
  });
});

test('the portal opens the customer that holds the live subscription, not the one mapped last', async () => {
  const [holds, last, userId] = [uniqueId('cus'), uniqueId('cus'), uniqueId('user')];
  await map('shop', userId, holds);
  await map('shop', userId, last);
  const key = { projectId: 'shop', userId };
  expect(await findPortalCustomer(world.database, key)).toBe(last);
  const [id] = [uniqueId('sub')];
  await world.deliver(subscribed({ id, customer: holds }));
  expect(await findPortalCustomer(world.database, key)).toBe(holds);
  await world.deliver(subscribed({ id, customer: holds, status: 'canceled' }, periodStart + 5));
  expect(await findPortalCustomer(world.database, key)).toBe(last);
});

describe('our price id in metadata before the catalog has it', () => {
  const bought = (priceId: string, more: object) =>
    stripeEvent({
      type: 'payment_intent.succeeded',
      object: paymentIntentObject({
        id: uniqueId('pi'),
        customer: null,
        metadata: { price_id: priceId, ...more },
      }),
    });
  const sell = (priceId: string) =>
    createPrice(world.database, {
      projectId: 'shop',
      request: {
        price_id: priceId,
        product_id: 'once',
        stripe_price_id: `price_${priceId}`,
        amount: 1,
        currency: 'usd',
        interval: 'one_time',
      },
      actor,
    });

  it('is healed by the price', async () => {
    const [priceId, userId] = [uniqueId('ours'), uniqueId('user')];
    const event = bought(priceId, { user_id: userId, project_id: 'shop' });
    await world.deliver(event);
    expect(await world.outcomeOf(event)).toBe('quarantined:unknown_price');
    await sell(priceId);
    expect(await featuresOf(userId)).toEqual(['export']);
    expect(await world.outcomeOf(event)).toBe('applied');
  });

  it('is healed by the same event again where the price came without a release', async () => {
    const [priceId, userId] = [uniqueId('ours'), uniqueId('user')];
    const event = bought(priceId, { user_id: userId, project_id: 'shop' });
    await world.deliver(event);
    const product = { projectId: 'shop', productId: 'once' };
    const price = { stripePriceId: `price_${priceId}`, amount: 1n, currency: 'usd', interval: 'one_time' };
    await world.database.price.create({ data: { ...product, priceId, ...price } });
    await world.deliver(event);
    expect(await featuresOf(userId)).toEqual(['export']);
    expect(await world.outcomeOf(event)).toBe('applied');
  });
});

describe('an assignment', () => {
  it("gives a guest's payment, which waits in quarantine, to a user", async () => {
    const userId = uniqueId('user');
    const object = paymentIntentObject({
      id: uniqueId('pi'),
      customer: null,
      metadata: { price_id: 'price_once' },
    });
    const event = stripeEvent({ type: 'payment_intent.succeeded', object });
    await world.deliver(event);
    expect(await world.outcomeOf(event)).toBe('quarantined:unknown_customer');
    expect(await world.database.stripeEvent.findUnique({ where: { eventId: event.id } })).toMatchObject({
      awaits: object.id,
    });
    const request = {
      payment_intent_id: object.id,
      project_id: 'shop',
      user_id: userId,
      reason: 'case 1',
      dry_run: false,
    };
    const tried = await assignObject(world.database, { ...request, dry_run: true }, actor);
    expect(tried.result).toMatchObject({
      changes: [{ path: `purchase.${object.id}.shop`, before: null, after: userId }],
      affectedUsers: 1,
    });
    expect(await featuresOf(userId)).toEqual([]);
    await assignObject(world.database, request, actor);
    expect(await featuresOf(userId)).toEqual(['export']);
    expect(await world.outcomeOf(event)).toBe('applied');
    const audited = await world.database.auditEntry.findMany({ where: { targetId: object.id } });
    expect(audited).toMatchObject([{ action: 'object.assign', reason: 'case 1' }]);
  });

  it('beats the mapping, which beats metadata, in later events too', async () => {
    const [id, customer] = [uniqueId('sub'), uniqueId('cus')];
    const [named, mapped, assigned] = [uniqueId('named'), uniqueId('mapped'), uniqueId('assigned')];
    const metadata = { user_id: named };
    const have = async () => [await featuresOf(named), await featuresOf(mapped), await featuresOf(assigned)];
    await world.deliver(subscribed({ id, customer, metadata }));
    expect(await have()).toEqual([['pro'], [], []]);
    await map('shop', mapped, customer);
    expect(await have()).toEqual([[], ['pro'], []]);
    const versions = await Promise.all([mapped, assigned].map((userId) => world.versionOf(userId)));
    const request = {
      subscription_id: id,
      project_id: 'shop',
      user_id: assigned,
      reason: 'case 2',
      dry_run: false,
    };
    const { result } = await assignObject(world.database, request, actor);
    expect(result.previousUserId).toBe(mapped);
    expect(await have()).toEqual([[], [], ['pro']]);
    expect(await world.versionOf(mapped)).toBe((versions[0] ?? 0n) + 1n);
    await world.deliver(subscribed({ id, customer, metadata, cancelAtPeriodEnd: true }, periodStart + 5));
    expect(await have()).toEqual([[], [], ['pro']]);
    await assignObject(world.database, { ...request, user_id: named }, actor);
    expect(await have()).toEqual([['pro'], [], []]);
  });

  it.each([
    ['an unknown subscription', { subscription_id: 'sub_unknown' }, 'subscription_not_found'],
    ['an unknown payment', { payment_intent_id: 'pi_unknown' }, 'payment_not_found'],
    ['an unknown session', { session_id: 'cs_unknown' }, 'payment_not_found'],
  ])('of %s is refused', async (_what, named, code) => {
    const request = { ...named, project_id: 'shop', user_id: 'ann', reason: 'r', dry_run: false };
    await expect(assignObject(world.database, request, actor)).rejects.toMatchObject({ code });
  });

  it("in a project that has nothing in it is refused; by the subscription's session it is found", async () => {
    const [id, customer, session] = [uniqueId('sub'), uniqueId('cus'), uniqueId('cs')];
    await world.deliver(
      subscribed({ id, customer }),
      completed({ id: session, mode: 'subscription', customer, subscription: id }),
    );
    const request = {
      session_id: session,
      project_id: 'shop',
      user_id: uniqueId('user'),
      reason: 'r',
      dry_run: false,
    };
    await expect(
      assignObject(world.database, { ...request, project_id: 'second' }, actor),
    ).rejects.toMatchObject({ code: 'price_of_other_project' });
    await assignObject(world.database, request, actor);
    expect(await featuresOf(request.user_id)).toEqual(['pro']);
  });
});

describe('moving a customer', () => {
  it('takes along what it has, whoever it was mapped to', async () => {
    const [id, customer, from, to] = [uniqueId('sub'), uniqueId('cus'), uniqueId('from'), uniqueId('to')];
    await map('shop', from, customer);
    await world.deliver(subscribed({ id, customer }));
    expect(await featuresOf(from)).toEqual(['pro']);
    const request = { user_id: to, reason: 'case 3', dry_run: false };
    const input = { projectId: 'shop', stripeCustomerId: customer, request, actor };
    const tried = await moveCustomer(world.database, { ...input, request: { ...request, dry_run: true } });
    expect(tried.result).toMatchObject({
      changes: [
        { path: `customer.${customer}.shop`, before: from, after: to },
        { path: `subscription.${id}.shop`, before: from, after: to },
      ],
      affectedUsers: 2,
    });
    expect(await featuresOf(from)).toEqual(['pro']);
    const { result } = await moveCustomer(world.database, input);
    expect(result.previousUserId).toBe(from);
    expect([await featuresOf(from), await featuresOf(to)]).toEqual([[], ['pro']]);
    await world.deliver(subscribed({ id, customer, cancelAtPeriodEnd: true }, periodStart + 5));
    expect([await featuresOf(from), await featuresOf(to)]).toEqual([[], ['pro']]);
  });

  it('maps one that is known only from its objects, and refuses one that is not known', async () => {
    const [id, customer, userId] = [uniqueId('sub'), uniqueId('cus'), uniqueId('user')];
    const event = subscribed({ id, customer });
    await world.deliver(event);
    const request = { user_id: userId, reason: 'case 4', dry_run: false };
    const move = (stripeCustomerId: string) =>
      moveCustomer(world.database, { projectId: 'shop', stripeCustomerId, request, actor });
    await expect(move('cus_unknown')).rejects.toMatchObject({ code: 'customer_not_found' });
    await move(customer);
    expect(await featuresOf(userId)).toEqual(['pro']);
    expect(await world.outcomeOf(event)).toBe('applied');
  });
});

test('a session first heard while Stripe was away leaves quarantine once it was rechecked', async () => {
  const [userId, session] = [uniqueId('user'), uniqueId('cs')];
  const price = await world.stripe.prices.create({
    currency: 'usd',
    unit_amount: 100,
    product_data: { name: 'x' },
  });
  const made = await world.stripe.checkout.sessions.create({
    mode: 'payment',
    line_items: [{ price: price.id, quantity: 1 }],
    success_url: 'https://x.example',
  });
  const product = { projectId: 'shop', productId: 'once', priceId: uniqueId('ours') };
  await world.database.price.create({
    data: { ...product, stripePriceId: price.id, amount: 100n, currency: 'usd', interval: 'one_time' },
  });
  await world.control('/faults', { mode: '500' });
  const event = completed({
    id: made.id,
    paymentIntent: uniqueId('pi'),
    customer: null,
    clientReferenceId: userId,
  });
  await world.deliver(event);
  expect(await world.outcomeOf(event)).toBe('quarantined:unknown_project');
  await world.control('/faults', { mode: 'none' });
  world.clock.offsetMs += 60_000;
  await waitFor(async () => (await world.outcomeOf(event)) === 'applied', {
    what: `the session ${session} to leave quarantine`,
    timeoutMs: 30_000,
  });
  expect(await featuresOf(userId)).toEqual(['export']);
});
