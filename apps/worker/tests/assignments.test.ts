import { assignObject, moveCustomer, tryChange } from '@billing/store';
import { paymentIntentObject, periodStart, stripeEvent } from '@billing/testing';
import { actor, completed, startOwnersWorld, subscribed } from './support/owners-world.test-support.ts';
import type { OwnersWorld } from './support/owners-world.test-support.ts';
import { uniqueId } from './support/start-test-worker.test-support.ts';

let world: OwnersWorld;
beforeAll(async () => {
  world = await startOwnersWorld();
});
afterAll(() => world.close());

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
    };
    const tried = await tryChange(world.database, (database) => assignObject(database, request, { actor }));
    expect(tried).toEqual({
      changes: [{ path: `purchase.${object.id}.shop`, before: null, after: userId }],
      affectedUsers: 1,
    });
    expect(await world.featuresOf(userId)).toEqual([]);
    await assignObject(world.database, request, { actor });
    expect(await world.featuresOf(userId)).toEqual(['export']);
    expect(await world.outcomeOf(event)).toBe('applied');
    const audited = await world.database.auditEntry.findMany({
      where: { readable: { targetId: object.id } },
      include: { readable: true },
    });
    expect(audited).toMatchObject([{ action: 'object.assign', readable: { reason: 'case 1' } }]);
  });

  it('beats the mapping, which beats metadata, in later events too', async () => {
    const [id, customer] = [uniqueId('sub'), uniqueId('cus')];
    const [named, mapped, assigned] = [uniqueId('named'), uniqueId('mapped'), uniqueId('assigned')];
    const metadata = { user_id: named };
    const have = async () => [
      await world.featuresOf(named),
      await world.featuresOf(mapped),
      await world.featuresOf(assigned),
    ];
    await world.deliver(subscribed({ id, customer, metadata }));
    expect(await have()).toEqual([['pro'], [], []]);
    await world.map('shop', mapped, customer);
    expect(await have()).toEqual([[], ['pro'], []]);
    const versions = await Promise.all([mapped, assigned].map((userId) => world.versionOf(userId)));
    const request = {
      subscription_id: id,
      project_id: 'shop',
      user_id: assigned,
      reason: 'case 2',
      dry_run: false,
    };
    const { result } = await assignObject(world.database, request, { actor });
    expect(result.previousUserId).toBe(mapped);
    expect(await have()).toEqual([[], [], ['pro']]);
    expect(await world.versionOf(mapped)).toBe((versions[0] ?? 0n) + 1n);
    await world.deliver(subscribed({ id, customer, metadata, cancelAtPeriodEnd: true }, periodStart + 5));
    expect(await have()).toEqual([[], [], ['pro']]);
    await assignObject(world.database, { ...request, user_id: named }, { actor });
    expect(await have()).toEqual([['pro'], [], []]);
  });

  it.each([
    ['an unknown subscription', { subscription_id: 'sub_unknown' }, 'subscription_not_found'],
    ['an unknown payment', { payment_intent_id: 'pi_unknown' }, 'payment_not_found'],
    ['an unknown session', { session_id: 'cs_unknown' }, 'payment_not_found'],
  ])('of %s is refused', async (_what, named, code) => {
    const request = { ...named, project_id: 'shop', user_id: 'ann', reason: 'r' };
    await expect(assignObject(world.database, request, { actor })).rejects.toMatchObject({ code });
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
      assignObject(world.database, { ...request, project_id: 'second' }, { actor }),
    ).rejects.toMatchObject({ code: 'price_of_other_project' });
    await assignObject(world.database, request, { actor });
    expect(await world.featuresOf(request.user_id)).toEqual(['pro']);
  });
});

describe('moving a customer', () => {
  it('takes along what it has, whoever it was mapped to', async () => {
    const [id, customer, from, to] = [uniqueId('sub'), uniqueId('cus'), uniqueId('from'), uniqueId('to')];
    await world.map('shop', from, customer);
    await world.deliver(subscribed({ id, customer }));
    expect(await world.featuresOf(from)).toEqual(['pro']);
    const request = { user_id: to, reason: 'case 3' };
    const input = { projectId: 'shop', stripeCustomerId: customer, request, actor };
    const tried = await tryChange(world.database, (database) => moveCustomer(database, input));
    expect(tried).toEqual({
      changes: [
        { path: `customer.${customer}.shop`, before: from, after: to },
        { path: `subscription.${id}.shop`, before: from, after: to },
      ],
      affectedUsers: 2,
    });
    expect(await world.featuresOf(from)).toEqual(['pro']);
    const { result } = await moveCustomer(world.database, input);
    expect(result.previousUserId).toBe(from);
    expect([await world.featuresOf(from), await world.featuresOf(to)]).toEqual([[], ['pro']]);
    await world.deliver(subscribed({ id, customer, cancelAtPeriodEnd: true }, periodStart + 5));
    expect([await world.featuresOf(from), await world.featuresOf(to)]).toEqual([[], ['pro']]);
  });

  it('maps one that is known only from its objects, and refuses one that is not known', async () => {
    const [id, customer, userId] = [uniqueId('sub'), uniqueId('cus'), uniqueId('user')];
    const event = subscribed({ id, customer });
    await world.deliver(event);
    const request = { user_id: userId, reason: 'case 4' };
    const move = (stripeCustomerId: string) =>
      moveCustomer(world.database, { projectId: 'shop', stripeCustomerId, request, actor });
    await expect(move('cus_unknown')).rejects.toMatchObject({ code: 'customer_not_found' });
    await move(customer);
    expect(await world.featuresOf(userId)).toEqual(['pro']);
    expect(await world.outcomeOf(event)).toBe('applied');
  });
});
