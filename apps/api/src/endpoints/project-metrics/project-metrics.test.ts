import { startCommerce, uniqueId } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';

let commerce: Commerce;

beforeAll(async () => {
  commerce = await startCommerce();
});
afterAll(() => commerce.close());

const read = (apiKey: string, projectId: string) =>
  commerce
    .http()
    .get(`/api/v1/metrics/project/${encodeURIComponent(projectId)}`)
    .set('authorization', `Bearer ${apiKey}`);

async function subscribe(
  projectId: string,
  status: string | null,
  items: [stripePriceId: string, quantity: number][],
) {
  const user = await commerce.deps.database.user.create({ data: { projectId, userId: uniqueId('user') } });
  await commerce.deps.database.subscription.create({
    data: {
      id: uniqueId('sub'),
      status,
      userRef: user.id,
      items: {
        create: items.map(([stripePriceId, quantity], index) => ({
          itemId: `si_${index}`,
          stripePriceId,
          quantity: BigInt(quantity),
        })),
      },
    },
  });
}

test('a project without subscriptions', async () => {
  const { projectId, apiKey } = await commerce.createProject();
  const { body } = await read(apiKey, projectId).expect(200);
  expect(body).toEqual({
    project_id: projectId,
    active_subscriptions: 0,
    trialing_subscriptions: 0,
    total_subscriptions: 0,
    estimated_mrr_cents: 0,
    estimated_mrr_dollars: 0,
  });
});

test('a year counts a twelfth, trials nothing, quantities and items add up, other projects do not', async () => {
  const { projectId, apiKey } = await commerce.createProject();
  const other = await commerce.createProject();
  const month = (await commerce.sell(projectId, { amount: 1999 })).stripePriceId;
  const year = (await commerce.sell(projectId, { amount: 10_000, interval: 'year' })).stripePriceId;
  const foreign = (await commerce.sell(other.projectId, { amount: 77_777 })).stripePriceId;
  await subscribe(projectId, 'active', [
    [month, 2],
    [year, 1],
  ]);
  await subscribe(projectId, 'active', [['price_nobody_mapped', 5]]);
  await subscribe(projectId, 'active', [[foreign, 1]]);
  await subscribe(projectId, 'trialing', [[month, 1]]);
  await subscribe(projectId, 'past_due', [[month, 1]]);
  await subscribe(projectId, 'canceled', [[month, 1]]);
  await subscribe(projectId, null, []);
  await subscribe(other.projectId, 'active', [[foreign, 1]]);
  const { body } = await read(apiKey, projectId).expect(200);
  const cents = Math.round(2 * 1999 + 10_000 / 12);
  expect(body).toEqual({
    project_id: projectId,
    active_subscriptions: 3,
    trialing_subscriptions: 1,
    total_subscriptions: 6,
    estimated_mrr_cents: cents,
    estimated_mrr_dollars: cents / 100,
  });
});

test('only its own project, only with a key, only GET', async () => {
  const { projectId, apiKey } = await commerce.createProject();
  const other = await commerce.createProject();
  for (const foreign of [other.projectId, 'nobody'])
    expect((await read(apiKey, foreign).expect(403)).body.code).toBe('project_mismatch');
  await commerce.http().get(`/api/v1/metrics/project/${projectId}`).expect(401);
  const response = await commerce.http().post(`/api/v1/metrics/project/${projectId}`).expect(405);
  expect(response.headers['allow']).toBe('GET, HEAD');
});
