import { createPrice, findPortalCustomer, readSources } from '@billing/store';
import { paymentIntentObject, periodStart, stripeEvent, waitFor } from '@billing/testing';
import { actor, completed, startOwnersWorld, subscribed } from './support/owners-world.test-support.ts';
import type { OwnersWorld } from './support/owners-world.test-support.ts';
import { uniqueId } from './support/start-test-worker.test-support.ts';

let world: OwnersWorld;
beforeAll(async () => {
  world = await startOwnersWorld();
});
afterEach(() => world.control('/faults', { mode: 'none' }));
afterAll(() => world.close());

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
      expect(await world.featuresOf(userId)).toEqual(['pro']);
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
    expect(await world.featuresOf(userId)).toEqual(['export']);
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
    expect([await world.featuresOf(userId), await world.featuresOf(hinted)]).toEqual([['pro'], []]);
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
    expect([await world.featuresOf(userId), await world.featuresOf(userId, 'second')]).toEqual([[], []]);
  });
});

describe('a price of another project on a mapped customer', () => {
  it('is quarantined, and released by mapping the customer there', async () => {
    const [id, customer] = [uniqueId('sub'), uniqueId('cus')];
    const [ann, bob] = [uniqueId('ann'), uniqueId('bob')];
    await world.map('shop', ann, customer);
    const event = subscribed({ id, customer, items: [{ priceId: 'price_second' }] });
    await world.deliver(event);
    expect(await world.outcomeOf(event)).toBe('quarantined:price_of_other_project');
    const read = await readSources(world.database, 'shop', [ann]);
    expect(read.get(ann)?.sources.subscriptions).toEqual([]);
    const mapped = await world.map('second', bob, customer);
    expect(mapped.result.released).toEqual({ subscriptions: 1, purchases: 0, events: 1 });
    expect(await world.featuresOf(bob, 'second')).toEqual(['second_feature']);
    expect(await world.outcomeOf(event)).toBe('applied');
    await expect(world.map('second', ann, customer)).rejects.toMatchObject({ code: 'customer_exists' });
  });

  it('beside one of the own project: each project sees its own items, and both versions grow', async () => {
    const [id, customer] = [uniqueId('sub'), uniqueId('cus')];
    const [ann, bob] = [uniqueId('ann'), uniqueId('bob')];
    await world.map('shop', ann, customer);
    const items = [{ priceId: 'price_sub' }, { priceId: 'price_second' }];
    const event = subscribed({ id, customer, items });
    await world.deliver(event);
    expect(await world.featuresOf(ann)).toEqual(['pro']);
    expect(await world.outcomeOf(event)).toBe('quarantined:price_of_other_project');
    await world.map('second', bob, customer);
    expect([await world.featuresOf(ann), await world.featuresOf(bob, 'second')]).toEqual([
      ['pro'],
      ['second_feature'],
    ]);
    const read = await readSources(world.database, 'shop', [ann]);
    expect(read.get(ann)?.sources.subscriptions[0]?.items).toMatchObject([{ stripePriceId: 'price_sub' }]);
    const before = [await world.versionOf(ann), await world.versionOf(bob, 'second')];
    await world.deliver(subscribed({ id, customer, items, status: 'canceled' }, periodStart + 5));
    expect([await world.featuresOf(ann), await world.featuresOf(bob, 'second')]).toEqual([[], []]);
    const after = [await world.versionOf(ann), await world.versionOf(bob, 'second')];
    expect(after).toEqual(before.map((version) => (version ?? 0n) + 1n));
  });

  it('belongs to the user whom the object names there', async () => {
    const [id, customer, ann, bob] = [uniqueId('sub'), uniqueId('cus'), uniqueId('ann'), uniqueId('bob')];
    await world.map('shop', ann, customer);
    const metadata = { user_id: bob, project_id: 'second' };
    const items = [{ priceId: 'price_sub' }, { priceId: 'price_second' }];
    const event = subscribed({ id, customer, items, metadata });
    await world.deliver(event);
    expect([await world.featuresOf(ann), await world.featuresOf(bob, 'second')]).toEqual([
      ['pro'],
      ['second_feature'],
    ]);
    expect(await world.outcomeOf(event)).toBe('applied');
    // The item goes, and with it what its user had.
    await world.deliver(subscribed({ id, customer, metadata }, periodStart + 5));
    expect([await world.featuresOf(ann), await world.featuresOf(bob, 'second')]).toEqual([['pro'], []]);
  });
});

test('the portal opens the customer that holds the live subscription, not the one mapped last', async () => {
  const [holds, last, userId] = [uniqueId('cus'), uniqueId('cus'), uniqueId('user')];
  await world.map('shop', userId, holds);
  await world.map('shop', userId, last);
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
  const terms = {
    amount: 1,
    currency: 'usd',
    interval: 'one_time',
    intervalCount: 1,
    usageType: null,
    accessDays: null,
  } as const;
  const sell = (priceId: string) =>
    createPrice(world.database, {
      projectId: 'shop',
      price: { ...terms, priceId, productId: 'once', stripePriceId: `price_${priceId}` },
      check: 'same',
      now: Date.now(),
      actor,
    });

  it('counts once the price is created', async () => {
    const [priceId, userId] = [uniqueId('ours'), uniqueId('user')];
    const event = bought(priceId, { user_id: userId, project_id: 'shop' });
    await world.deliver(event);
    expect(await world.outcomeOf(event)).toBe('quarantined:unknown_price');
    await sell(priceId);
    expect(await world.featuresOf(userId)).toEqual(['export']);
    expect(await world.outcomeOf(event)).toBe('applied');
  });

  it("buys nothing where it turns out to be a subscription's", async () => {
    const [priceId, userId] = [uniqueId('ours'), uniqueId('user')];
    await world.deliver(bought(priceId, { user_id: userId, project_id: 'shop' }));
    await createPrice(world.database, {
      projectId: 'shop',
      price: { ...terms, interval: 'month', priceId, productId: 'sub', stripePriceId: `price_${priceId}` },
      check: 'same',
      now: Date.now(),
      actor,
    });
    expect(await world.featuresOf(userId)).toEqual([]);
  });

  it('counts when the event comes again, where the price came without a release', async () => {
    const [priceId, userId] = [uniqueId('ours'), uniqueId('user')];
    const event = bought(priceId, { user_id: userId, project_id: 'shop' });
    await world.deliver(event);
    const product = { projectId: 'shop', productId: 'once' };
    const price = { stripePriceId: `price_${priceId}`, amount: 1n, currency: 'usd', interval: 'one_time' };
    await world.database.price.create({ data: { ...product, priceId, ...price } });
    await world.deliver(event);
    expect(await world.featuresOf(userId)).toEqual(['export']);
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
  expect(await world.featuresOf(userId)).toEqual(['export']);
});
