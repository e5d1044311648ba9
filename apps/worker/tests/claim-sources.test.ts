import { createLogger } from '@billing/platform';
import { createClaimSourceFinder } from '@billing/sync';
import { paymentIntentObject, stripeEvent } from '@billing/testing';
import { PassThrough } from 'node:stream';
import { completed, startOwnersWorld, subscribed } from './support/owners-world.test-support.ts';
import type { OwnersWorld } from './support/owners-world.test-support.ts';
import { uniqueId } from './support/start-test-worker.test-support.ts';

let world: OwnersWorld;
beforeAll(async () => {
  world = await startOwnersWorld();
});
afterAll(() => world.close());

async function findSources(): Promise<void> {
  const destination = new PassThrough().resume();
  const logger = createLogger({ service: 'test', level: 'error', format: 'json', destination });
  const find = createClaimSourceFinder({ database: world.database, logger });
  while ((await find()) === 'again');
}

test('a claim that an older version stored is metadata where the ledger shows it, else a hint', async () => {
  const customer = uniqueId('cus');
  const [own, ofSession, hinted, forgotten] = ['own', 'of_session', 'hinted', 'forgotten'].map(uniqueId);
  const session = (subscription: string | undefined, parts: object) =>
    completed({
      id: uniqueId('cs'),
      mode: 'subscription',
      customer,
      subscription: subscription ?? '',
      ...parts,
    });
  const [bought, boughtByHint] = [uniqueId('pi'), uniqueId('pi')];
  const forgottenEvent = subscribed({ id: forgotten ?? '', customer, metadata: { user_id: 'u4' } });
  await world.deliver(
    subscribed({ id: own ?? '', customer, metadata: { user_id: 'u1' } }),
    subscribed({ id: ofSession ?? '', customer }),
    session(ofSession, { metadata: { user_id: 'u2', project_id: 'shop' } }),
    subscribed({ id: hinted ?? '', customer }),
    session(hinted, { clientReferenceId: 'u3' }),
    forgottenEvent,
    stripeEvent({
      type: 'payment_intent.succeeded',
      object: paymentIntentObject({ id: bought, metadata: { user_id: 'u5', price_id: 'price_once' } }),
    }),
    completed({
      id: uniqueId('cs'),
      paymentIntent: boughtByHint,
      clientReferenceId: 'u6',
      metadata: { price_id: 'price_once' },
    }),
  );
  await world.database.stripeEvent.delete({ where: { eventId: forgottenEvent.id } });
  await world.database.subscription.updateMany({ data: { claimedUserSource: null } });
  await world.database.purchase.updateMany({ data: { claimedUserSource: null } });
  await findSources();
  const subscriptions = await world.database.subscription.findMany();
  const purchases = await world.database.purchase.findMany();
  const sources = Object.fromEntries(
    [...subscriptions, ...purchases].map(({ claimedUserId, claimedUserSource }) => [
      claimedUserId,
      claimedUserSource,
    ]),
  );
  expect(sources).toEqual({
    u1: 'metadata',
    u2: 'metadata',
    u3: 'buyer_hint',
    u4: 'buyer_hint',
    u5: 'metadata',
    u6: 'buyer_hint',
  });
});

test('in a project that accepts no hints, a claim that turns out to be metadata counts from then on', async () => {
  const [id, userId] = [uniqueId('sub'), uniqueId('user')];
  await world.deliver(subscribed({ id, customer: uniqueId('cus'), metadata: { user_id: userId } }));
  await world.database.subscription.update({ where: { id }, data: { claimedUserSource: null } });
  const setPolicy = (policy: object) =>
    world.database.project.update({ where: { id: 'shop' }, data: { policy } });
  await setPolicy({ accept_buyer_hints: 'quarantine' });
  const version = (await world.versionOf(userId)) ?? 0n;
  expect(await world.featuresOf(userId)).toEqual([]);
  await findSources();
  expect(await world.featuresOf(userId)).toEqual(['pro']);
  expect(await world.versionOf(userId)).toBe(version + 1n);
  await setPolicy({});
});

test('metadata that comes again corrects what was taken for a hint', async () => {
  const [id, customer, userId] = [uniqueId('sub'), uniqueId('cus'), uniqueId('user')];
  const metadata = { user_id: userId };
  await world.deliver(subscribed({ id, customer, metadata }));
  await world.database.subscription.update({ where: { id }, data: { claimedUserSource: 'buyer_hint' } });
  await world.deliver(subscribed({ id, customer, metadata, cancelAtPeriodEnd: true }));
  expect(await world.database.subscription.findUnique({ where: { id } })).toMatchObject({
    claimedUserId: userId,
    claimedUserSource: 'metadata',
  });
});
