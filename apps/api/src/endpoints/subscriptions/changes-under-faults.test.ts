import { bringIn, subscribe } from '../../testing/subscribe.test-support.ts';
import { startCommerce, uniqueId } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';

let commerce: Commerce;
let project: { projectId: string; apiKey: string };
let stripePriceId: string;

beforeAll(async () => {
  commerce = await startCommerce();
  project = await commerce.createProject();
  ({ stripePriceId } = await commerce.sell(project.projectId));
});
afterEach(() => commerce.fault('none'));
afterAll(() => commerce.close());

const subscribeUser = (): Promise<string> =>
  subscribe(commerce, {
    projectId: project.projectId,
    userId: uniqueId('user'),
    stripePriceIds: [stripePriceId],
  });

const cancel = (id: string, { at = 'period_end', key = uniqueId('key') } = {}) =>
  commerce
    .http()
    .post(`/api/v1/subscriptions/${id}/cancel`)
    .set('authorization', `Bearer ${project.apiKey}`)
    .set('idempotency-key', key)
    .send({ at });

const auditOf = async (id: string): Promise<unknown[]> =>
  (await commerce.admin('get', `/audit?target_id=${id}`).expect(200)).body.data;

test('where Stripe makes the change and cannot be asked for it, the answer is Stripe’s, to be confirmed', async () => {
  const id = await subscribeUser();
  await commerce.fault('500', 100, { methods: ['GET'] });
  const { body } = await cancel(id).expect(200);
  expect(body).toMatchObject({ cancel_at_period_end: true, confirmed: false });
  const row = await commerce.deps.database.subscription.findUniqueOrThrow({ where: { id } });
  expect(row).toMatchObject({ cancelAtPeriodEnd: true, confirmed: false, recheckAt: expect.any(Date) });
  await commerce.fault('none');
  await bringIn(commerce, id);
  expect((await cancel(id).expect(200)).body.confirmed).toBe(true);
});

test('where Stripe’s answer is lost, the same request asks the same again, and it is done once', async () => {
  const id = await subscribeUser();
  const once = { at: 'now', key: uniqueId('key') };
  await commerce.fault('cut', 100, { methods: ['DELETE'], executed: true });
  const { body: lost } = await cancel(id, once).expect(503);
  expect(lost).toMatchObject({ code: 'stripe_unavailable', detail: expect.stringContaining('not known') });
  expect(await auditOf(id)).toEqual([]);
  await commerce.fault('none');
  // Another request would be refused by Stripe, which has ended it.
  const { body } = await cancel(id, once).expect(200);
  expect(body).toMatchObject({ status: 'canceled', confirmed: true });
  expect((await cancel(id, once).expect(200)).body).toEqual(body);
  expect(await auditOf(id)).toHaveLength(1);
  const other = await cancel(id, { ...once, at: 'period_end' }).expect(409);
  expect(other.body.code).toBe('idempotency_conflict');
});

test('while Stripe is away nothing changes', async () => {
  const id = await subscribeUser();
  await commerce.fault('500', 100);
  expect((await cancel(id).expect(503)).body.code).toBe('stripe_unavailable');
  await commerce.fault('none');
  expect((await commerce.stripe.subscriptions.retrieve(id)).cancel_at_period_end).toBe(false);
  expect(await auditOf(id)).toEqual([]);
});
