import { bringIn, subscribe } from '../../testing/subscribe.test-support.ts';
import { startCommerce, uniqueId } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';

let commerce: Commerce;
let project: { projectId: string; apiKey: string; keyId: string };
let price: Awaited<ReturnType<Commerce['sell']>>;
/** Changed and put back by several tests. */
let id: string;
const userId = uniqueId('user');

beforeAll(async () => {
  commerce = await startCommerce();
  project = await commerce.createProject();
  price = await commerce.sell(project.projectId);
  id = await subscribeUser(userId);
});
afterAll(() => commerce.close());

const subscribeUser = (of = uniqueId('user'), more: object = {}): Promise<string> =>
  subscribe(commerce, {
    projectId: project.projectId,
    userId: of,
    stripePriceIds: [price.stripePriceId],
    ...more,
  });

const call = (operation: string, body: object = {}, of = id) =>
  commerce
    .http()
    .post(`/api/v1/subscriptions/${of}/${operation}`)
    .set('authorization', `Bearer ${project.apiKey}`)
    .send(body);
const read = (of = id) =>
  commerce.http().get(`/api/v1/subscriptions/${of}`).set('authorization', `Bearer ${project.apiKey}`);

async function entitlements(of: string) {
  const { body } = await commerce
    .http()
    .get(`/api/v1/entitlements?user_id=${of}`)
    .set('authorization', `Bearer ${project.apiKey}`)
    .expect(200);
  return body.entitlements as { valid_to: string; current_period_end: string }[];
}

describe('a cancellation at the end of the period', () => {
  test('counts at the next read, carries its reason to Stripe and is audited; again it is the same', async () => {
    await entitlements(userId);
    const { body } = await call('cancel', { at: 'period_end', reason: 'Too expensive' }).expect(200);
    expect(body).toMatchObject({ status: 'active', cancel_at_period_end: true, confirmed: true });
    expect(body.cancel_at).toBe(body.items[0].current_period_end);
    const [entitlement] = await entitlements(userId);
    expect(entitlement?.valid_to).toBe(body.cancel_at);
    expect((await read().expect(200)).body).toEqual(body);
    const rendered = await commerce.stripe.subscriptions.retrieve(id);
    expect(rendered.cancellation_details?.comment).toBe('Too expensive');
    const audit = await commerce.admin('get', `/audit?target_id=${id}`).expect(200);
    expect(audit.body.data[0]).toMatchObject({
      actor: project.keyId,
      action: 'subscription.cancel',
      project_id: project.projectId,
      reason: 'Too expensive',
      details: { user_id: userId, at: 'period_end' },
    });
    expect((await call('cancel', { at: 'period_end' }).expect(200)).body).toEqual(body);
  });

  test('is undone, however it was set, and only once', async () => {
    const { body } = await call('resume').expect(200);
    expect(body).toMatchObject({ cancel_at: null, cancel_at_period_end: false, confirmed: true });
    await commerce.stripe.subscriptions.update(id, { cancel_at: Math.floor(Date.now() / 1000) + 86_400 });
    await bringIn(commerce, id);
    expect((await call('resume').expect(200)).body.cancel_at).toBeNull();
    expect((await call('resume').expect(409)).body.code).toBe('not_resumable');
  });

  test('drops a change that was planned, which a schedule would make', async () => {
    const dearer = await commerce.sell(project.projectId, { amount: 2_000 });
    const { id: scheduleId, phases } = await commerce.stripe.subscriptionSchedules.create({
      from_subscription: id,
    });
    const [{ start_date: start, end_date: end } = { start_date: 0, end_date: 0 }] = phases;
    await commerce.stripe.subscriptionSchedules.update(scheduleId, {
      end_behavior: 'release',
      phases: [
        { start_date: start, end_date: end, items: [{ price: price.stripePriceId, quantity: 1 }] },
        {
          start_date: end,
          items: [{ price: dearer.stripePriceId, quantity: 3 }],
          duration: { interval: 'month' },
        },
      ],
    });
    await bringIn(commerce, id);
    const { priceId, stripePriceId, productId } = dearer;
    const items = [{ price_id: priceId, stripe_price_id: stripePriceId, product_id: productId, quantity: 3 }];
    expect((await read().expect(200)).body.pending_change).toEqual({
      effective_at: new Date(end * 1000).toISOString(),
      items,
    });
    const { body } = await call('cancel', { at: 'period_end' }).expect(200);
    expect(body).toMatchObject({ cancel_at_period_end: true, pending_change: null });
    await call('resume').expect(200);
  });
});

test('a pause is shown, replaced and undone', async () => {
  const past = await call('pause', { resumes_at: '2020-01-01T00:00:00Z' }).expect(400);
  expect(past.body.errors).toEqual([{ path: 'resumes_at', message: 'must be in the future' }]);
  const startedAt = Date.now();
  const paused = await call('pause').expect(200);
  // Events from before are stale from now on: one of them must not bring an older state back.
  const row = await commerce.deps.database.subscription.findUniqueOrThrow({ where: { id } });
  expect(row.snapshotAt?.getTime()).toBeGreaterThanOrEqual(startedAt - 2_000);
  expect(paused.body.pause_collection).toEqual({ behavior: 'void', resumes_at: null });
  const resumesAt = new Date(Math.ceil(Date.now() / 1000) * 1000 + 86_400_000).toISOString();
  const again = await call('pause', { behavior: 'keep_as_draft', resumes_at: resumesAt }).expect(200);
  expect(again.body.pause_collection).toEqual({ behavior: 'keep_as_draft', resumes_at: resumesAt });
  expect((await call('resume').expect(200)).body.pause_collection).toBeNull();
});

test('a cancellation now ends access at once, and for good', async () => {
  const of = uniqueId('user');
  const ended = await subscribeUser(of);
  expect(await entitlements(of)).toHaveLength(1);
  const { body } = await call('cancel', { at: 'now' }, ended).expect(200);
  expect(body).toMatchObject({ status: 'canceled', ended_at: expect.any(String), confirmed: true });
  expect(await entitlements(of)).toEqual([]);
  for (const at of ['now', 'period_end']) await call('cancel', { at }, ended).expect(200, body);
  expect((await call('resume', {}, ended).expect(409)).body.code).toBe('not_resumable');
});

test('a cancellation now lets go of the schedule first', async () => {
  const ended = await subscribeUser();
  const { id: scheduleId } = await commerce.stripe.subscriptionSchedules.create({ from_subscription: ended });
  await bringIn(commerce, ended);
  const { body } = await call('cancel', { at: 'now' }, ended).expect(200);
  expect(body).toMatchObject({ status: 'canceled', confirmed: true });
  expect((await commerce.stripe.subscriptionSchedules.retrieve(scheduleId)).status).toBe('released');
});

test('what was canceled elsewhere, of which no event came yet, is answered as it is', async () => {
  const gone = await subscribeUser();
  await commerce.stripe.subscriptions.cancel(gone);
  expect((await call('cancel', { at: 'now' }, gone).expect(200)).body.status).toBe('canceled');
  const paused = await subscribeUser();
  await commerce.stripe.subscriptions.cancel(paused);
  expect((await call('pause', {}, paused).expect(409)).body.code).toBe('not_pausable');
  await commerce.deps.database.subscription.update({
    where: { id },
    data: { schedule: { scheduleId: 'sub_sched_none', changes: [] } },
  });
  await call('cancel', { at: 'period_end' }).expect(200);
  expect((await call('resume').expect(200)).body.cancel_at).toBeNull();
});

test('what Stripe does not have is not there', async () => {
  const of = uniqueId('user');
  const known = await subscribeUser(of);
  const lost = uniqueId('sub');
  const { customer } = await commerce.stripe.subscriptions.retrieve(known);
  await commerce.admin('post', `/projects/${project.projectId}/customers`, {
    user_id: of,
    stripe_customer_id: customer,
  });
  const { userRef, stripeCustomerId } = await commerce.deps.database.subscription.findUniqueOrThrow({
    where: { id: known },
  });
  await commerce.deps.database.subscription.create({
    data: { id: lost, userRef, status: 'active', stripeCustomerId },
  });
  expect((await read(lost).expect(200)).body).toMatchObject({ status: 'active', items: [] });
  expect((await call('cancel', { at: 'now' }, lost).expect(404)).body.code).toBe('subscription_not_found');
  expect((await read(lost).expect(200)).body.confirmed).toBe(false);
});

test.each([
  ['incomplete', 'cancel', { at: 'period_end' }, 'not_cancelable'],
  ['incomplete_expired', 'cancel', { at: 'now' }, 'not_cancelable'],
  ['paused', 'cancel', { at: 'period_end' }, 'not_cancelable'],
  ['incomplete', 'resume', {}, 'not_resumable'],
  ['canceled', 'resume', {}, 'not_resumable'],
  ['incomplete', 'pause', {}, 'not_pausable'],
  ['unpaid', 'pause', {}, 'not_pausable'],
  ['canceled', 'pause', {}, 'not_pausable'],
] as const)('%s: no %s %j', async (status, operation, body, code) => {
  const of = (ofState ??= await subscribeUser());
  await commerce.deps.database.subscription.update({ where: { id: of }, data: { status } });
  expect((await call(operation, body, of).expect(409)).body.code).toBe(code);
});
/** Stripe is asked nothing about it. */
let ofState: string | undefined;

test('one that another project has items in is left as it is', async () => {
  const other = await commerce.createProject();
  const { stripePriceId } = await commerce.sell(other.projectId);
  const shared = await subscribeUser(undefined, { stripePriceIds: [price.stripePriceId, stripePriceId] });
  for (const [operation, body] of [
    ['cancel', { at: 'now' }],
    ['pause', {}],
    ['resume', {}],
  ] as const)
    expect((await call(operation, body, shared).expect(409)).body.code).toBe('shared_subscription');
});

test('unknown fields, times and ids are refused', async () => {
  await call('cancel').expect(400);
  await call('cancel', { at: 'tomorrow' }).expect(400);
  await call('resume', { at: 'now' }).expect(400);
  for (const [operation, body] of [
    ['cancel', { at: 'now' }],
    ['pause', {}],
    ['resume', {}],
  ] as const)
    expect((await call(operation, body, 'sub_unknown').expect(404)).body.code).toBe('subscription_not_found');
});

/** Paused by the end of a trial without a card; moves the clock of the offline Stripe. */
async function subscribePaused(): Promise<string> {
  const of = await subscribeUser(undefined, {
    trial_period_days: 1,
    trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
  });
  await commerce.advance(2 * 86_400);
  await bringIn(commerce, of);
  expect((await read(of).expect(200)).body).toMatchObject({ status: 'paused', pending_payment: null });
  return of;
}

// Last, both of them.
test('a trial that ended without a card is resumed, and paid', async () => {
  const of = await subscribePaused();
  expect((await call('resume', {}, of).expect(200)).body).toMatchObject({
    status: 'active',
    confirmed: true,
  });
});

test('where the card is declined it stays paused, and says where to pay, until it is paid or given up', async () => {
  const { stripe, stripeUrl } = commerce;
  const of = await subscribePaused();
  const declineNext = () =>
    fetch(`${stripeUrl}/_offline/subscriptions/${of}/fail_next_payment`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ times: 1 }),
    });
  const invoices = async () => (await stripe.invoices.list({ subscription: of })).data;
  await declineNext();
  const { body: waiting } = await call('resume', {}, of).expect(200);
  const [open, ...earlier] = await invoices();
  const pendingPayment = { hosted_invoice_url: open?.hosted_invoice_url, expires_at: null };
  expect(waiting).toMatchObject({ status: 'paused', confirmed: true, pending_payment: pendingPayment });
  // Again, and after an event of it: the same invoice.
  expect((await call('resume', {}, of).expect(200)).body).toEqual(waiting);
  expect((await read(of).expect(200)).body).toEqual(waiting);
  expect(await invoices()).toHaveLength(1 + earlier.length);
  const dropped = await commerce
    .http()
    .delete(`/api/v1/subscriptions/${of}/pending-change`)
    .set('authorization', `Bearer ${project.apiKey}`)
    .expect(200);
  expect(dropped.body).toMatchObject({ status: 'paused', pending_payment: null });
  expect((await invoices())[0]?.status).toBe('void');

  await declineNext();
  await call('resume', {}, of).expect(200);
  await stripe.invoices.pay(String((await invoices())[0]?.id), { payment_method: 'pm_card_visa' });
  await bringIn(commerce, of);
  expect((await read(of).expect(200)).body).toMatchObject({ status: 'active', pending_payment: null });
});
