import { createErasureKeys, findUsers, readUser } from '@billing/store';
import { paymentIntentObject, stripeEvent } from '@billing/testing';
import { actor, completed, startOwnersWorld, subscribed } from './support/owners-world.test-support.ts';
import type { OwnersWorld } from './support/owners-world.test-support.ts';
import { uniqueId } from './support/start-test-worker.test-support.ts';

const erasureKeys = createErasureKeys([]);

let world: OwnersWorld;
beforeAll(async () => {
  world = await startOwnersWorld();
});
afterAll(() => world.close());

const find = async (query: string, project?: string) => {
  const asked = { query, ...(project === undefined ? {} : { project_id: project }) };
  const rows = await findUsers(world.database, asked, { actor, erasureKeys });
  return rows.map((row) => [row.projectId, row.userId, row.matched, row.matchedId]);
};

test('a user is found by each id that leads to it, in each project that has a part', async () => {
  const [id, customer, session] = [uniqueId('sub'), uniqueId('cus'), uniqueId('cs')];
  const [ann, bob, payment] = [uniqueId('ann'), uniqueId('bob'), uniqueId('pi')];
  await world.map('shop', ann, customer);
  await world.map('second', bob, customer);
  const items = [{ priceId: 'price_sub' }, { priceId: 'price_second' }];
  const event = subscribed({ id, customer, items, latestInvoice: 'in_find' });
  const paid = stripeEvent({
    type: 'payment_intent.succeeded',
    object: paymentIntentObject({ id: payment, customer, metadata: { price_id: 'price_once' } }),
  });
  await world.deliver(event, paid, completed({ id: session, customer, paymentIntent: payment }));
  const both = (matched: string, of: string) => [
    ['second', bob, matched, of],
    ['shop', ann, matched, of],
  ];
  expect(await find(ann)).toEqual([['shop', ann, 'user_id', ann]]);
  expect(await find(id)).toEqual(both('subscription', id));
  expect(await find(id, 'shop')).toEqual([['shop', ann, 'subscription', id]]);
  expect(await find('in_find')).toEqual(both('invoice', id));
  expect(await find(payment)).toEqual([['shop', ann, 'payment', payment]]);
  expect(await find(session)).toEqual([['shop', ann, 'payment', payment]]);
  expect(await find(customer)).toEqual(
    expect.arrayContaining([
      ...both('customer', customer),
      ...both('customer', id),
      ['shop', ann, 'customer', payment],
    ]),
  );
  expect(await find(event.id)).toEqual(expect.arrayContaining(both('event', id)));
  expect(await find('nothing')).toEqual([]);
  const looked = await world.database.auditEntry.findMany({
    where: { action: 'user.find', readable: { targetId: id } },
  });
  expect(looked).toHaveLength(2);
});

test('what belongs to nobody is found without a user', async () => {
  const object = paymentIntentObject({
    id: uniqueId('pi'),
    customer: null,
    metadata: { price_id: 'price_once' },
  });
  await world.deliver(stripeEvent({ type: 'payment_intent.succeeded', object }));
  expect(await find(object.id)).toEqual([[null, null, 'payment', object.id]]);
});

test('an API key is found by its prefix', async () => {
  const prefix = uniqueId('key');
  const key = { id: uniqueId('id'), projectId: 'shop', prefix, digest: new Uint8Array(32).fill(7) };
  await world.database.apiKey.create({ data: key });
  const found = await findUsers(world.database, { query: prefix }, { actor, erasureKeys });
  expect(found).toEqual([
    {
      projectId: 'shop',
      userId: null,
      keyId: key.id,
      matched: 'api_key',
      matchedId: prefix,
      ownerSource: null,
    },
  ]);
});

test('all about a user: customers, events and changes by hand', async () => {
  const [id, customer, userId] = [uniqueId('sub'), uniqueId('cus'), uniqueId('user')];
  await world.map('shop', userId, customer);
  const event = subscribed({ id, customer });
  await world.deliver(event);
  const found = await readUser(world.database, { projectId: 'shop', userId }, actor);
  expect(found.customers).toMatchObject([{ stripeCustomerId: customer, source: 'admin' }]);
  expect(found.events).toMatchObject([{ eventId: event.id }]);
  expect(found.audit).toMatchObject([{ action: 'customer.map', targetId: customer }]);
  await expect(readUser(world.database, { projectId: 'second', userId }, actor)).rejects.toMatchObject({
    code: 'user_not_found',
  });
});
