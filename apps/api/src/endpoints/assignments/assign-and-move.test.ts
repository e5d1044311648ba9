import { giveSubscription } from '../../testing/sources.test-support.ts';
import { startCommerce, uniqueId } from '../../testing/start-commerce.test-support.ts';
import { testAdmin } from '../../testing/start-test-api.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';

let api: Commerce;
let projectId: string;
let apiKey: string;
let stripePriceId: string;
const limitedSecret = uniqueId('secret');
beforeAll(async () => {
  const limited = `limited/operator/shop:${limitedSecret}`;
  api = await startCommerce({ ADMIN_API_KEY: `${testAdmin.name}:${testAdmin.secret},${limited}` });
  ({ projectId, apiKey } = await api.createProject('shop'));
  ({ stripePriceId } = await api.sell(projectId));
});
afterAll(() => api.close());

/** A user with a subscription, and the customer that holds it. */
async function subscriber(): Promise<{ userId: string; id: string; customer: string }> {
  const [userId, customer] = [uniqueId('user'), uniqueId('cus')];
  const { result: id } = await giveSubscription(api.deps.database, { projectId, userId }, { stripePriceId });
  await api.deps.database.subscription.update({ where: { id }, data: { stripeCustomerId: customer } });
  return { userId, id, customer };
}

async function featuresOf(userId: string): Promise<string[]> {
  const { body } = await api
    .http()
    .get('/api/v1/entitlements')
    .query({ user_id: userId })
    .set('authorization', `Bearer ${apiKey}`)
    .expect(200);
  return body.entitlements.map((one: { feature_code: string }) => one.feature_code);
}

const audited = (targetId: string) =>
  api.deps.database.auditEntry.count({ where: { readable: { targetId } } });

test("an assigned subscription is at once the new user's, and no longer the old one's", async () => {
  const { userId, id } = await subscriber();
  const to = uniqueId('user');
  const body = { subscription_id: id, project_id: projectId, user_id: to, reason: 'support case' };
  expect([await featuresOf(userId), await featuresOf(to)]).toEqual([['premium'], []]);
  const tried = await api.admin('post', '/assign', { ...body, dry_run: true }).expect(200);
  expect(tried.body).toEqual({
    changes: [{ path: `subscription.${id}.${projectId}`, before: userId, after: to }],
    affected_users: 2,
  });
  expect([await featuresOf(userId), await audited(id)]).toEqual([['premium'], 0]);
  const { body: answer } = await api.admin('post', '/assign', body).expect(200);
  expect(answer).toMatchObject({ source: 'subscription', source_id: id, previous_user_id: userId });
  expect([await featuresOf(userId), await featuresOf(to)]).toEqual([[], ['premium']]);
  expect(await audited(id)).toBe(1);
  // Again: it stays as it is.
  await api.admin('post', '/assign', body).expect(200);
  expect(await featuresOf(to)).toEqual(['premium']);
});

test('a moved customer takes its subscription along', async () => {
  const { userId, id, customer } = await subscriber();
  const to = uniqueId('user');
  const path = `/projects/${projectId}/customers/${customer}`;
  const body = { user_id: to, reason: 'accounts merged' };
  const tried = await api.admin('patch', path, { ...body, dry_run: true }).expect(200);
  expect(tried.body).toEqual({
    changes: [
      { path: `customer.${customer}.${projectId}`, before: null, after: to },
      { path: `subscription.${id}.${projectId}`, before: userId, after: to },
    ],
    affected_users: 2,
  });
  expect([await featuresOf(userId), await audited(customer)]).toEqual([['premium'], 0]);
  const { body: moved } = await api.admin('patch', path, body).expect(200);
  expect(moved).toMatchObject({ user_id: to, previous_user_id: null });
  expect([await featuresOf(userId), await featuresOf(to)]).toEqual([[], ['premium']]);
  const back = await api.admin('patch', path, { ...body, user_id: userId }).expect(200);
  expect(back.body).toMatchObject({ previous_user_id: to });
  expect([await featuresOf(userId), await featuresOf(to)]).toEqual([['premium'], []]);
});

describe('a name that is limited to the project', () => {
  const ask = (named: object, project = projectId) =>
    api
      .http()
      .post('/api/v1/admin/assign')
      .set('authorization', `Bearer ${limitedSecret}`)
      .send({ project_id: project, user_id: uniqueId('user'), reason: 'support case', ...named });

  it('assigns what the project sells', async () => {
    const { userId, id } = await subscriber();
    await ask({ subscription_id: id }).expect(200);
    expect(await featuresOf(userId)).toEqual([]);
  });

  it('meets nothing of another project, and nothing of none', async () => {
    const other = await api.createProject();
    const price = await api.sell(other.projectId);
    const owner = { projectId: other.projectId, userId: uniqueId('user') };
    const given = { stripePriceId: price.stripePriceId };
    const { result: id } = await giveSubscription(api.deps.database, owner, given);
    const { result: unknown } = await giveSubscription(api.deps.database, owner, {
      stripePriceId: uniqueId('price'),
    });
    for (const named of [id, unknown, 'sub_unknown']) {
      const { body } = await ask({ subscription_id: named }).expect(404);
      expect(body.code).toBe('subscription_not_found');
    }
    expect((await ask({ subscription_id: id }, other.projectId).expect(404)).body.code).toBe(
      'project_not_found',
    );
    const right = { subscription_id: id, project_id: projectId, user_id: 'u', reason: 'r' };
    expect((await api.admin('post', '/assign', right).expect(409)).body.code).toBe('price_of_other_project');
  });
});

describe('is refused', () => {
  const right = { user_id: 'u', reason: 'r' };

  it.each([
    ['no id', {}, 400, 'invalid_request'],
    ['two ids', { subscription_id: 'sub_1', session_id: 'cs_1' }, 400, 'invalid_request'],
    ['an unknown subscription', { subscription_id: 'sub_unknown' }, 404, 'subscription_not_found'],
    ['an unknown payment', { payment_intent_id: 'pi_unknown' }, 404, 'payment_not_found'],
    ['an unknown project', { subscription_id: 'sub_unknown', project_id: 'gone' }, 404, 'project_not_found'],
  ])('an assignment with %s', async (_what, named, status, code) => {
    for (const isDryRun of [true, false]) {
      const body = { project_id: projectId, ...right, ...named, dry_run: isDryRun };
      const answer = await api.admin('post', '/assign', body).expect(status);
      expect(answer.body.code).toBe(code);
    }
  });

  it('moving a customer that nothing names', async () => {
    const answer = await api.admin('patch', `/projects/${projectId}/customers/cus_gone`, right).expect(404);
    expect(answer.body.code).toBe('customer_not_found');
  });
});
