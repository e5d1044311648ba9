import { nonsense, startNonsenseFront } from '@billing/testing';
import type { NonsenseFront } from '@billing/testing';
import { startCommerce, uniqueId } from '../testing/start-commerce.test-support.ts';
import type { Commerce } from '../testing/start-commerce.test-support.ts';

let front: NonsenseFront;
let commerce: Commerce;
let project: { projectId: string; apiKey: string };
let price: { priceId: string };
let other: { priceId: string };
beforeAll(async () => {
  front = await startNonsenseFront();
  commerce = await startCommerce({ STRIPE_API_BASE: front.url });
  front.passTo(commerce.stripeUrl);
  project = await commerce.createProject();
  price = await commerce.sell(project.projectId);
  other = await commerce.sell(project.projectId);
});
afterEach(() => front.answerWith(null));
afterAll(async () => {
  await commerce.close();
  await front.close();
});

const portal = (userId: string) =>
  commerce
    .http()
    .post('/api/v1/portal/create-session')
    .set('authorization', `Bearer ${project.apiKey}`)
    .send({ user_id: userId, return_url: 'https://app.example.com/' });

/** Whatever Stripe answers to the calls of a checkout and a portal: 502 or 503, and the process lives. */
test.each(nonsense)('%s to every call', async (_what, status, body) => {
  const [known, unknown] = [commerce.order(price.priceId), commerce.order(price.priceId)];
  const key = { 'idempotency-key': uniqueId('key') };
  await commerce.checkout(project.apiKey, known).expect(200);
  front.answerWith({ status, body });
  front.seen.splice(0);
  const refused = await Promise.all([
    commerce.checkout(project.apiKey, { ...known, price_id: other.priceId }),
    commerce.checkout(project.apiKey, unknown, key),
    portal(known.user_id),
  ]);
  expect(new Set(front.seen)).toEqual(
    new Set(['POST /v1/checkout/sessions', 'POST /v1/customers', 'POST /v1/billing_portal/sessions']),
  );
  for (const { status: answered, body: problem } of refused) {
    expect([502, 503]).toContain(answered);
    expect(['stripe_error', 'stripe_unavailable']).toContain(problem.code);
  }
  const { database } = commerce.deps;
  const where = { user: { userId: unknown.user_id } };
  expect(await database.customer.count({ where })).toBe(0);
  front.answerWith(null);
  await commerce.checkout(project.apiKey, unknown, key).expect(200);
  await portal(unknown.user_id).expect(200);
  expect(await database.customer.count({ where })).toBe(1);
});
