import { dayMs } from '@billing/domain';
import { claimIdempotencyKey } from '@billing/store';
import { startCommerce, uniqueId } from '../testing/start-commerce.test-support.ts';
import type { Commerce } from '../testing/start-commerce.test-support.ts';

let commerce: Commerce;
let project: { projectId: string; apiKey: string };
let price: { priceId: string };

beforeAll(async () => {
  commerce = await startCommerce();
  project = await commerce.createProject();
  price = await commerce.sell(project.projectId);
});
afterEach(() => commerce.fault('none'));
afterAll(() => commerce.close());

const buy = (key: string, body: object) =>
  commerce.checkout(project.apiKey, body, { 'idempotency-key': key });

test('the same key and body give the same answer for a day, in whatever order the fields come', async () => {
  const key = uniqueId('key');
  const order = commerce.order(price.priceId, { metadata: { a: '1', b: '2' } });
  const first = await buy(key, order).expect(200);
  const reordered = Object.fromEntries(
    Object.entries({ ...order, metadata: { b: '2', a: '1' } }).toReversed(),
  );
  const second = await buy(key, { project_id: project.projectId, ...reordered }).expect(200);
  expect(second.body).toEqual(first.body);
  commerce.clock.advance(dayMs + 1_000);
  const nextDay = await buy(key, order).expect(200);
  expect(nextDay.body.session_id).not.toBe(first.body.session_id);
});

test('without a key each payment makes a session', async () => {
  const { priceId } = await commerce.sell(project.projectId, { interval: 'one_time' });
  const order = commerce.order(priceId, { mode: 'payment' });
  const first = await commerce.checkout(project.apiKey, order).expect(200);
  const second = await commerce.checkout(project.apiKey, order).expect(200);
  expect(second.body.session_id).not.toBe(first.body.session_id);
});

test('20 requests at once make one session', async () => {
  const key = uniqueId('key');
  const order = commerce.order(price.priceId);
  const responses = await Promise.all(Array.from({ length: 20 }, () => buy(key, order)));
  const sold = responses.filter(({ status }) => status === 200);
  const others = responses.filter(({ status }) => status !== 200);
  expect(sold.length).toBeGreaterThan(0);
  expect(new Set(sold.map(({ body }) => body.session_id)).size).toBe(1);
  expect(others.map(({ body }) => body.code)).toEqual(others.map(() => 'idempotency_in_progress'));
  const again = await buy(key, order).expect(200);
  expect(again.body).toEqual(sold[0]?.body);
});

test('the same key with another body is a conflict', async () => {
  const key = uniqueId('key');
  const order = commerce.order(price.priceId);
  await buy(key, order).expect(200);
  const response = await buy(key, { ...order, quantity: 2 }).expect(409);
  expect(response.body.code).toBe('idempotency_conflict');
});

test('keys are per project', async () => {
  const key = uniqueId('key');
  await buy(key, commerce.order(price.priceId)).expect(200);
  const other = await commerce.createProject();
  const otherPrice = await commerce.sell(other.projectId);
  const response = await commerce.checkout(other.apiKey, commerce.order(otherPrice.priceId), {
    'idempotency-key': key,
  });
  expect(response.status).toBe(200);
});

test('a refusal frees the key', async () => {
  const key = uniqueId('key');
  await buy(key, commerce.order('price_unknown')).expect(404);
  const response = await buy(key, commerce.order(price.priceId));
  expect(response.status).toBe(200);
});

test('a failure of Stripe frees the key, and is not repeated to the next try', async () => {
  const key = uniqueId('key');
  const order = commerce.order(price.priceId);
  await commerce.fault('500');
  await buy(key, order).expect(503);
  await commerce.fault('none');
  const response = await buy(key, order);
  expect(response.status).toBe(200);
});

test('20 requests at once while Stripe hangs are refused, and make one session when it is back', async () => {
  const key = uniqueId('key');
  const order = commerce.order(price.priceId);
  await commerce.fault('hang');
  const refused = await Promise.all(Array.from({ length: 20 }, () => buy(key, order)));
  const codes = refused.map(({ body }) => body.code);
  expect(codes).toContain('stripe_unavailable');
  expect(codes.filter((code) => !/^(stripe_unavailable|idempotency_in_progress)$/.test(code))).toEqual([]);
  await commerce.fault('none');
  const responses = await Promise.all(Array.from({ length: 20 }, () => buy(key, order)));
  const sold = responses.filter(({ status }) => status === 200);
  expect(new Set(sold.map(({ body }) => body.session_id)).size).toBe(1);
  expect(await commerce.customersOf(order.user_id)).toHaveLength(1);
});

test('a key claimed by a process that crashed is free once the claim is over', async () => {
  const key = uniqueId('key');
  const { database, clock } = commerce.deps;
  const order = commerce.order(price.priceId);
  const requestHash = new Uint8Array(32);
  const claim = await claimIdempotencyKey(database, {
    projectId: project.projectId,
    key,
    requestHash,
    now: clock(),
  });
  expect(claim.outcome).toBe('claimed');
  await buy(key, order).expect(409);
  commerce.clock.advance(21_000);
  await buy(key, order).expect(200);
});

test.each(['', ' ', 'x'.repeat(256), 'ключ'].map((key) => [key]))('the key %p is refused', async (key) => {
  const encoded = Buffer.from(key).toString('latin1');
  const response = await buy(encoded, commerce.order(price.priceId)).expect(400);
  expect(response.body.code).toBe('invalid_request');
});

test('answers are forgotten after a day', async () => {
  const old = uniqueId('key');
  await buy(old, commerce.order(price.priceId)).expect(200);
  commerce.clock.advance(dayMs + 1_000);
  await buy(uniqueId('key'), commerce.order(price.priceId)).expect(200);
  expect(await commerce.deps.database.idempotencyKey.count({ where: { key: old } })).toBe(0);
});
