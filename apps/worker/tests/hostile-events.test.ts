import { sessionObject, stripeEvent, subscriptionObject } from '@billing/testing';
import { Redis } from 'ioredis';
import { startTestWorker } from './support/start-test-worker.test-support.ts';
import type { TestWorker } from './support/start-test-worker.test-support.ts';

let world: TestWorker;
let redis: Redis;
beforeAll(async () => {
  world = await startTestWorker();
  redis = new Redis(world.redis.url);
});
afterAll(async () => {
  redis.disconnect();
  await world.close();
});

const item = (fields: object) => ({
  object: 'list',
  data: [{ id: 'si_1', quantity: 1, price: { id: 'price_sub' }, ...fields }],
});

/** Passes the signature check; the queue may also be fed by others. */
const hostile: [string, object][] = [
  ['a quantity beyond int4', { items: item({ quantity: 2 ** 31 }) }],
  ['a quantity beyond measure', { items: item({ quantity: 1e308 }) }],
  ['a negative quantity', { items: item({ quantity: -1 }) }],
  ['half a piece', { items: item({ quantity: 1.5 }) }],
  ['a quantity in words', { items: item({ quantity: 'many' }) }],
  ['a period before time', { items: item({ current_period_start: -1e15, current_period_end: -1e15 }) }],
  ['a period beyond time', { items: item({ current_period_end: 1e15 }) }],
  ['half a second', { items: item({ current_period_end: 1.5 }) }],
  ['items that are none', { items: { data: [null, 1, 'x', []] } }],
  ['items of another shape', { items: 'si_1' }],
  ['ten thousand items', { items: { data: Array.from({ length: 10_000 }, () => ({ id: 'si_1' })) } }],
  ['a price with a NUL', { items: item({ price: { id: 'price_\0' } }) }],
  ['a price of 100,000 characters', { items: item({ price: { id: 'p'.repeat(100_000) } }) }],
  ['an id of 100,000 characters', { id: 's'.repeat(100_000) }],
  ['a list for metadata', { metadata: ['user_id', 'ann'] }],
  ['numbers in metadata', { metadata: { user_id: 1, project_id: 2 } }],
  ['a prototype in metadata', { metadata: JSON.parse('{"__proto__":{"user_id":"ann"}}') }],
  ['a customer that is a list', { customer: ['cus_1'] }],
  ['a customer of half a character', { customer: 'cus_\udc00' }],
  ['an end before the beginning', { cancel_at: 1, canceled_at: -1, ended_at: 0 }],
  ['a trial that never ends', { trial_end: Number.MAX_SAFE_INTEGER }],
];

/** These could be applied if their owner were known. */
const usable = new Set([
  'a quantity beyond int4',
  'ten thousand items',
  'numbers in metadata',
  'a prototype in metadata',
]);

describe('unexpected content', () => {
  test.each(hostile)('%s ends in the ledger with a reason, and nowhere else', async (what, fields) => {
    const id = `sub_${what.replaceAll(/\W/g, '_')}`;
    const object = {
      ...subscriptionObject({ id, customer: `cus_of_${id}`, latestInvoice: null }),
      ...fields,
    };
    const event = stripeEvent({ type: 'customer.subscription.updated', object });
    await world.deliver(event);
    const isUsable = usable.has(what);
    expect(await world.outcomeOf(event)).toBe(
      `quarantined:${isUsable ? 'unknown_customer' : 'invalid_object'}`,
    );
    expect(await world.features(Date.now())).toEqual([]);
  });

  test.each([
    ['created in 300,000 years', { created: 1e13 }],
    ['created before 1970', { created: -1 }],
    ['created in words', { created: 'now' }],
    ['an account that is none', { account: { id: 'acct_1' } }],
    ['a mode that is none', { livemode: 'yes' }],
    ['a version that is none', { api_version: 7 }],
  ])('an envelope with %s too', async (what, fields) => {
    const object = sessionObject({ id: `cs_${what.replaceAll(/\W/g, '_')}` });
    const event = { ...stripeEvent({ type: 'checkout.session.completed', object }), ...fields };
    await world.deliver(event);
    expect(await world.outcomeOf(event)).toBe('quarantined:invalid_object');
  });

  // Added to the queue directly: the webhook endpoint does not let these through.
  test.each<[string, string]>([
    ['100,000 levels', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
    ['numbers beyond all', '{"quantity":1e400}'],
    ['a prototype', '{"__proto__":{"status":"active"}}'],
  ])('an object with %s inside is understood as far as it means something', async (what, inside) => {
    const id = `sub_${what.replaceAll(/\W/g, '_')}`;
    const object = subscriptionObject({ id, customer: `cus_of_${id}`, latestInvoice: null });
    const event = stripeEvent({ type: 'customer.subscription.updated', object });
    const { bull } = world.queue;
    await bull.pause();
    await world.enqueue(event);
    const data = (await redis.hget(bull.toKey(event.id), 'data')) ?? '';
    const hostileData = data.replace(`{"id":"${id}"`, `{"unheard_of":${inside},"id":"${id}"`);
    expect(hostileData).toContain('unheard_of');
    await redis.hset(bull.toKey(event.id), { data: hostileData });
    await bull.resume();
    await world.idle();
    expect(await world.outcomeOf(event)).toBe('quarantined:unknown_customer');
  });

  test('does not delay others: the next event is applied', async () => {
    const object = subscriptionObject({ id: 'sub_good', latestInvoice: null });
    const event = stripeEvent({ type: 'customer.subscription.updated', object });
    await world.deliver(event);
    expect(await world.outcomeOf(event)).toBe('applied');
    expect(await world.queue.bull.getFailedCount()).toBe(0);
  });
});
