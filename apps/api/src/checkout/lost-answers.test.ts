import { dayMs } from '@billing/domain';
import { startCommerce, uniqueId } from '../testing/start-commerce.test-support.ts';
import type { Commerce } from '../testing/start-commerce.test-support.ts';

let commerce: Commerce;
let project: { projectId: string; apiKey: string };
let price: { priceId: string; stripePriceId: string };

beforeAll(async () => {
  commerce = await startCommerce();
  project = await commerce.createProject();
  price = await commerce.sell(project.projectId);
});
afterEach(() => commerce.fault('none'));
afterAll(() => commerce.close());

type Order = ReturnType<Commerce['order']>;
const buy = (key: string, body: object) =>
  commerce.checkout(project.apiKey, body, { 'idempotency-key': key });
const keyRow = (key: string) =>
  commerce.deps.database.idempotencyKey.findUniqueOrThrow({
    where: { projectId_key: { projectId: project.projectId, key } },
  });

/** All sessions that Stripe made for a buyer. */
async function sessionsOf({ user_id: userId }: Order): Promise<string[]> {
  const all = await commerce.stripe.checkout.sessions
    .list({ limit: 100 })
    .autoPagingToArray({ limit: 1_000 });
  return all.filter((one) => one.metadata?.['user_id'] === userId).map(({ id }) => id);
}

const lose = (mode: 'reset' | 'hang' | 'html' | 'cut', path: string) =>
  commerce.fault(mode, undefined, { path, methods: ['POST'], ...(mode === 'cut' ? {} : { executed: true }) });

describe('the answer of Stripe was lost, and the same Idempotency-Key comes again', () => {
  test.each(['reset', 'cut', 'html', 'hang'] as const)(
    '%s of the session: exactly one session, with one customer',
    async (mode) => {
      const [key, order] = [uniqueId('key'), commerce.order(price.priceId)];
      await lose(mode, '/v1/checkout/sessions');
      await buy(key, order).expect(503);
      await commerce.fault('none');
      const sold = await buy(key, order).expect(200);
      expect(await sessionsOf(order)).toEqual([sold.body.session_id]);
      expect(await commerce.customersOf(order.user_id)).toHaveLength(1);
      expect((await buy(key, order).expect(200)).body).toEqual(sold.body);
    },
    40_000,
  );

  test.each(['reset', 'cut', 'html'] as const)(
    '%s of the customer: exactly one customer',
    async (mode) => {
      const [key, order] = [uniqueId('key'), commerce.order(price.priceId)];
      await lose(mode, '/v1/customers');
      await buy(key, order).expect(503);
      await commerce.fault('none');
      await buy(key, order).expect(200);
      expect(await commerce.customersOf(order.user_id)).toHaveLength(1);
      expect(await sessionsOf(order)).toHaveLength(1);
    },
    40_000,
  );

  test('several times, with a 429 between: one session', async () => {
    const [key, order] = [uniqueId('key'), commerce.order(price.priceId)];
    await lose('reset', '/v1/checkout/sessions');
    await buy(key, order).expect(503);
    await buy(key, order).expect(503);
    await commerce.fault('429');
    await buy(key, order).expect(503);
    await commerce.fault('none');
    await buy(key, order).expect(200);
    expect(await sessionsOf(order)).toHaveLength(1);
  });

  test('the same parameters are asked again, although the catalog changed meanwhile', async () => {
    const [key, order] = [uniqueId('key'), commerce.order(price.priceId, { metadata: { b: '1', a: '2' } })];
    await lose('reset', '/v1/checkout/sessions');
    await buy(key, order).expect(503);
    await commerce.fault('none');
    const other = await commerce.sell(project.projectId);
    const where = {
      projectId_priceId: { projectId: project.projectId, priceId: price.priceId },
    };
    const { database } = commerce.deps;
    await database.price.deleteMany({ where: { priceId: other.priceId } });
    await database.price.update({ where, data: { stripePriceId: other.stripePriceId } });
    const sold = await buy(key, order).expect(200);
    expect(await sessionsOf(order)).toEqual([sold.body.session_id]);
    await database.price.update({ where, data: { stripePriceId: price.stripePriceId } });
  });

  test('a customer that was deleted meanwhile: a session for a new one', async () => {
    const [key, order] = [uniqueId('key'), commerce.order(price.priceId)];
    await commerce.fault('reset', undefined, { path: '/v1/checkout/sessions' });
    await buy(key, order).expect(503);
    await commerce.fault('none');
    const [customer] = await commerce.customersOf(order.user_id);
    await commerce.stripe.customers.del(String(customer?.id));
    await buy(key, order).expect(200);
    expect(await sessionsOf(order)).toHaveLength(1);
  });

  test('another body is another request', async () => {
    const [key, order] = [uniqueId('key'), commerce.order(price.priceId)];
    await lose('reset', '/v1/checkout/sessions');
    await buy(key, order).expect(503);
    await commerce.fault('none');
    const sold = await buy(key, { ...order, quantity: 3 }).expect(200);
    const session = await commerce.stripe.checkout.sessions.retrieve(sold.body.session_id);
    expect(session.metadata?.['quantity']).toBe('3');
  });
});

test('after an answer of Stripe, a 500 as well, the same key asks anew', async () => {
  const [key, order] = [uniqueId('key'), commerce.order(price.priceId)];
  await commerce.fault('500', undefined, { path: '/v1/checkout/sessions' });
  await buy(key, order).expect(503);
  await commerce.fault('none');
  await buy(key, order).expect(200);
  expect(await sessionsOf(order)).toHaveLength(1);
});

test('what was asked is kept for a day at most, and not beside an answer', async () => {
  const [key, order] = [uniqueId('key'), commerce.order(price.priceId)];
  await lose('reset', '/v1/checkout/sessions');
  await buy(key, order).expect(503);
  const lost = await keyRow(key);
  expect(lost.stripeRequest).toMatchObject({ params: { metadata: { user_id: order.user_id } } });
  commerce.clock.advance(dayMs / 2);
  await buy(key, order).expect(503);
  expect((await keyRow(key)).expiresAt).toEqual(lost.expiresAt);
  await commerce.fault('none');
  await buy(key, order).expect(200);
  expect((await keyRow(key)).stripeRequest).toBeNull();
});
