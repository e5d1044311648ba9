import { dayMs, hourMs } from '@billing/domain';
import { deleteEndedCheckouts } from '@billing/store';
import { giveSubscription } from '../testing/sources.test-support.ts';
import { startCommerce, uniqueId } from '../testing/start-commerce.test-support.ts';
import type { Commerce } from '../testing/start-commerce.test-support.ts';

let commerce: Commerce;
let project: { projectId: string; apiKey: string };
type Price = { priceId: string; stripePriceId: string; productId: string };
let [basic, pro, seats, once]: Price[] = [];

beforeAll(async () => {
  commerce = await startCommerce();
  project = await commerce.createProject();
  const plan = { plan: { group: 'plan', max_trials_per_user: 1 } };
  basic = await commerce.sell(project.projectId, plan);
  pro = await commerce.sell(project.projectId, { ...plan, featureCodes: ['pro'], amount: 2_000 });
  seats = await commerce.sell(project.projectId, { amount: 500 });
  once = await commerce.sell(project.projectId, { interval: 'one_time' });
});
afterEach(() => commerce.fault('none'));
afterAll(() => commerce.close());

const order = (price: Price | undefined, more: object = {}) => commerce.order(String(price?.priceId), more);
const buy = (body: object, headers: Record<string, string> = {}) =>
  commerce.checkout(project.apiKey, body, headers);
const idOf = async (body: object): Promise<string> => (await buy(body).expect(200)).body.session_id;
const statusOf = async (id: string) => (await commerce.stripe.checkout.sessions.retrieve(id)).status;
const pay = (id: string) =>
  fetch(`${commerce.stripeUrl}/_offline/checkout/sessions/${id}/pay`, { method: 'POST' });
const features = async (userId: string): Promise<string[]> => {
  const { body } = await commerce
    .http()
    .get('/api/v1/entitlements')
    .query({ user_id: userId })
    .set('authorization', `Bearer ${project.apiKey}`)
    .expect(200);
  return body.entitlements.map((one: { feature_code: string }) => one.feature_code);
};
/** A subscription of the user by the metadata of Stripe. */
async function give(price: Price | undefined, userId: string, more: object = {}): Promise<string> {
  const { database } = commerce.deps;
  const owner = { projectId: project.projectId, userId };
  const { result } = await giveSubscription(database, owner, { stripePriceId: String(price?.stripePriceId) });
  const claims = { claimedUserId: userId, claimedUserSource: 'metadata' };
  await database.subscription.update({ where: { id: result }, data: { ...claims, ...more } });
  return result;
}

test('another plan of the group is refused, and names the subscription that is in the way', async () => {
  const body = order(pro);
  const subscription = await give(basic, body.user_id);
  const { body: problem } = await buy(body).expect(409);
  expect(problem).toMatchObject({
    code: 'group_occupied',
    detail: expect.stringMatching(/\/change.*portal/),
    errors: [{ path: 'price_id', message: subscription }],
  });
  await buy(order(seats, { user_id: body.user_id })).expect(200);
});

test('what is the buyer’s only by a hint refuses nothing, and is warned of', async () => {
  const body = order(pro);
  await give(basic, body.user_id, { claimedUserSource: 'buyer_hint' });
  const { body: sold } = await buy(body).expect(200);
  expect(sold.warnings).toEqual(['possible_duplicate']);
});

describe('of a user and a group one page is open', () => {
  test('an equal request leads to the same again, whatever its key', async () => {
    const body = order(pro);
    const first = await buy(body).expect(200);
    const second = await buy(body, { 'idempotency-key': uniqueId('key') }).expect(200);
    expect(second.body).toEqual(first.body);
  });

  test.each([
    { quantity: 2 },
    { metadata: { campaign: 'spring' } },
    { expires_in_seconds: 3_600 },
    { email: 'buyer@example.com' },
  ])('a request that differs by %o has a page of its own', async (more) => {
    const body = order(basic);
    const first = await buy(body).expect(200);
    const other = await buy({ ...body, ...more }).expect(200);
    expect(other.body.session_id).not.toBe(first.body.session_id);
    expect((await buy({ ...body, ...more }).expect(200)).body).toEqual(other.body);
  });

  test('another request ends the page that was open, also for another plan', async () => {
    const first = await idOf(order(basic, { user_id: 'two-tabs' }));
    const second = await idOf(order(pro, { user_id: 'two-tabs' }));
    const third = await idOf(order(pro, { user_id: 'two-tabs', quantity: 2 }));
    expect([await statusOf(first), await statusOf(second), await statusOf(third)]).toEqual([
      'expired',
      'expired',
      'open',
    ]);
  });

  test('what has no group, and what is paid once, has pages of its own', async () => {
    const user_id = uniqueId('user');
    const bodies = [
      order(pro),
      order(seats),
      order(once, { mode: 'payment' }),
      order(once, { mode: 'payment' }),
    ];
    const ids: string[] = [];
    for (const body of bodies) ids.push(await idOf({ ...body, user_id }));
    expect(new Set(ids).size).toBe(4);
    for (const id of ids) expect(await statusOf(id)).toBe('open');
  });

  test('two tabs at once open one page', async () => {
    const body = order(pro);
    const answers = await Promise.all([buy(body), buy(body), buy({ ...body, quantity: 2 })]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const ids = [...new Set(answers.map((one): string => one.body.session_id))];
    const open = (await Promise.all(ids.map(statusOf))).filter((status) => status === 'open');
    expect(open).toHaveLength(1);
  });

  test('a page that has expired, or that Stripe lost, is replaced', async () => {
    const body = order(pro);
    const first = await idOf(body);
    await commerce.stripe.checkout.sessions.expire(first);
    const second = await idOf(body);
    expect(second).not.toBe(first);
    await commerce.deps.database.openCheckout.updateMany({
      where: { sessionId: second },
      data: { sessionId: 'cs_of_another_account' },
    });
    expect(await idOf(body)).not.toBe(second);
  });

  test('a failure of Stripe frees it', async () => {
    const body = order(pro);
    await idOf(body);
    await commerce.fault('500');
    await buy({ ...body, quantity: 3 }).expect(503);
    await commerce.fault('none');
    expect((await buy({ ...body, quantity: 3 })).status).toBe(200);
  });

  test('a crash of who makes it, too, after some seconds', async () => {
    const body = order(pro);
    const id = await idOf(body);
    const at = commerce.deps.clock();
    await commerce.deps.database.openCheckout.updateMany({
      where: { sessionId: id },
      data: { lockedUntil: new Date(at + 1_000) },
    });
    expect(await idOf(body)).toBe(id);
  });
});

describe('a page that was paid before its event has come', () => {
  test.each<[string, object]>([
    ['an equal request', {}],
    ['another request', { quantity: 2 }],
  ])('%s is refused, and has what was bought', async (_what, more) => {
    const body = order(pro);
    await pay(await idOf(body));
    expect(await features(body.user_id)).toEqual([]);
    const { body: problem } = await buy({ ...body, ...more }).expect(409);
    expect(problem.code).toBe('already_subscribed');
    expect(await features(body.user_id)).toEqual(['pro']);
  });

  test('and canceled since: it is sold again', async () => {
    const body = order(pro);
    await pay(await idOf(body));
    await buy(body).expect(409);
    const [customer] = await commerce.customersOf(body.user_id);
    const { data } = await commerce.stripe.subscriptions.list({ customer: String(customer?.id) });
    await commerce.deps.database.subscription.updateMany({
      where: { id: String(data[0]?.id) },
      data: { status: 'canceled' },
    });
    await commerce.stripe.subscriptions.cancel(String(data[0]?.id));
    expect((await buy(body)).status).toBe(200);
  });
});

describe('a user who has had the trials that a plan allows', () => {
  const tried = async (): Promise<string> => {
    const userId = uniqueId('user');
    await give(basic, userId, { status: 'canceled', trialEnd: new Date(Date.now() - dayMs) });
    return userId;
  };
  const setDays = (trial_days: number | null) =>
    commerce
      .admin('patch', `/projects/${project.projectId}`, { checkout_defaults: { trial_days } })
      .expect(200);

  test('is refused one that the request asks for', async () => {
    const user_id = await tried();
    for (const trial of [{ trial_days: 3 }, { trial_end: new Date(Date.now() + 5 * dayMs).toISOString() }])
      expect((await buy(order(pro, { user_id, ...trial })).expect(400)).body.code).toBe('trial_used');
    await buy(order(pro, { user_id })).expect(200);
  });

  test('gets none by the project’s default, which others get', async () => {
    await setDays(7);
    try {
      const body = order(pro, { user_id: await tried() });
      await pay(await idOf(body));
      const fresh = order(pro);
      await pay(await idOf(fresh));
      const statuses = [];
      for (const { user_id } of [body, fresh]) {
        const [customer] = await commerce.customersOf(user_id);
        const { data } = await commerce.stripe.subscriptions.list({ customer: String(customer?.id) });
        statuses.push(data[0]?.status);
      }
      expect(statuses).toEqual(['active', 'trialing']);
    } finally {
      await setDays(null);
    }
  });
});

test('pages are forgotten with their user, and are in an export', async () => {
  const body = order(pro);
  const id = await idOf(body);
  const subject = { project_id: project.projectId, user_id: body.user_id };
  const exported = await commerce.admin('post', '/users/export', subject).expect(200);
  expect(exported.body.user.open_checkouts).toMatchObject([{ session_id: id, slot: 'group:plan' }]);
  await commerce.admin('post', '/users/erase', { ...subject, reason: 'asked for it' }).expect(202);
  expect(await commerce.deps.database.openCheckout.count({ where: { sessionId: id } })).toBe(0);
});

test('pages are forgotten an hour after they ended', async () => {
  const { database, clock } = commerce.deps;
  const [ended, open] = [await idOf(order(pro)), await idOf(order(pro))];
  const expiresAt = new Date(clock() - hourMs - 1_000);
  await database.openCheckout.updateMany({ where: { sessionId: ended }, data: { expiresAt } });
  expect(await deleteEndedCheckouts(database, clock())).toBe(false);
  const sessionId = { in: [ended, open] };
  expect(await database.openCheckout.findMany({ where: { sessionId } })).toMatchObject([{ sessionId: open }]);
});
