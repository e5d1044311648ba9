import { countDuplicates } from '@billing/store';
import { giveSubscription } from '../../testing/sources.test-support.ts';
import { startCommerce, uniqueId } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';

type Price = { priceId: string; stripePriceId: string; productId: string };
type Tenant = { projectId: string; apiKey: string };

let commerce: Commerce;
let shop: Tenant;
let basic: Price;
let pro: Price;
let seats: Price;

beforeAll(async () => {
  commerce = await startCommerce();
  shop = await commerce.createProject();
  const plan = { plan: { group: 'plan' } };
  basic = await commerce.sell(shop.projectId, plan);
  pro = await commerce.sell(shop.projectId, plan);
  seats = await commerce.sell(shop.projectId);
});
afterAll(() => commerce.close());

/** Subscriptions of a user by the metadata of Stripe, each a day later than the one before. */
async function give(userId: string, ...given: [Price, object?][]): Promise<string[]> {
  const { database } = commerce.deps;
  const ids: string[] = [];
  for (const [price, more = {}] of given) {
    const owner = { projectId: shop.projectId, userId };
    const { result } = await giveSubscription(database, owner, { stripePriceId: price.stripePriceId });
    const startDate = new Date(Date.UTC(2026, 0, 1 + ids.length));
    const data = { claimedUserId: userId, claimedUserSource: 'metadata', startDate, ...more };
    await database.subscription.update({ where: { id: result }, data });
    ids.push(result);
  }
  return ids;
}

const list = async (query: object = {}) => {
  const { body } = await commerce
    .admin('get', '/duplicates')
    .query({ project_id: shop.projectId, ...query })
    .expect(200);
  return body;
};
const rowsOf = async (userId: string) =>
  (await list({ limit: 100 })).data.filter((row: { user_id: string }) => row.user_id === userId);

test('all that share a price or a group are listed, the oldest first', async () => {
  const userId = uniqueId('user');
  const [first, second, third] = await give(userId, [basic], [pro], [basic]);
  const row = { project_id: shop.projectId, user_id: userId, status: 'active', group: 'plan' };
  expect(await rowsOf(userId)).toMatchObject([
    { ...row, subscription_id: first, is_duplicate: false, duplicate_of: null },
    { ...row, subscription_id: second, is_duplicate: true, duplicate_of: first, stripe_price_id: null },
    { ...row, subscription_id: third, duplicate_of: first, stripe_price_id: basic.stripePriceId },
  ]);
});

test('those that differ, have ended, never began, or are the user’s only by a hint are none', async () => {
  const users = ['differ', 'ended', 'began', 'hinted'].map((name) => uniqueId(name));
  const [differ = '', ended = '', began = '', hinted = ''] = users;
  await give(differ, [basic], [seats]);
  await give(ended, [basic], [pro, { status: 'canceled' }]);
  await give(began, [seats, { status: 'incomplete' }], [seats]);
  await give(hinted, [basic], [pro, { claimedUserSource: 'buyer_hint' }]);
  for (const userId of users) expect(await rowsOf(userId)).toEqual([]);
});

test('the list goes on, and has no other project’s', async () => {
  const other = await commerce.createProject();
  await give(uniqueId('user'), [seats], [seats]);
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page: { data: { subscription_id: string }[]; next_cursor: string | null } = await list({
      limit: 1,
      ...(cursor === null ? {} : { cursor }),
    });
    seen.push(...page.data.map((row) => row.subscription_id));
    cursor = page.next_cursor;
  } while (cursor !== null);
  expect(new Set(seen).size).toBe(seen.length);
  const whole = await list({ limit: 100 });
  expect(seen).toEqual(whole.data.map((row: { subscription_id: string }) => row.subscription_id));
  expect((await list({ project_id: other.projectId })).data).toEqual([]);
});

test('they are counted, and an explanation says which one is older', async () => {
  const before = await countDuplicates(commerce.deps.database);
  const userId = uniqueId('user');
  const [first, second] = await give(userId, [pro], [pro]);
  expect(await countDuplicates(commerce.deps.database)).toBe(before + 1);
  const { body } = await commerce
    .http()
    .get('/api/v1/entitlements')
    .query({ user_id: userId, explain: 'true' })
    .set('authorization', `Bearer ${shop.apiKey}`)
    .expect(200);
  const explained = body.explanation.map((one: { source_id: string; duplicate_of?: string }) => [
    one.source_id,
    one.duplicate_of,
  ]);
  expect(Object.fromEntries(explained)).toEqual({ [String(first)]: undefined, [String(second)]: first });
});

test('a list, the count, an explanation and the subscription agree on which is the oldest: not the one that was set back', async () => {
  const { deps } = commerce;
  const before = await countDuplicates(deps.database);
  const userId = uniqueId('user');
  const day = (date: number): Date => new Date(Date.UTC(2026, 0, date));
  const [first = '', setBack = ''] = await give(
    userId,
    [basic, { stripeCreatedAt: day(10), startDate: day(10) }],
    [pro, { stripeCreatedAt: day(11), startDate: day(1) }],
  );
  const agreed = { [first]: null, [setBack]: first };
  const listed: { subscription_id: string; duplicate_of: string | null }[] = await rowsOf(userId);
  expect(Object.fromEntries(listed.map((row) => [row.subscription_id, row.duplicate_of]))).toEqual(agreed);
  const read = (path: string, query: object) =>
    commerce
      .http()
      .get(`/api/v1/${path}`)
      .query(query)
      .set('authorization', `Bearer ${shop.apiKey}`)
      .expect(200);
  const { explanation } = (await read('entitlements', { user_id: userId, explain: 'true' })).body;
  expect(
    Object.fromEntries(
      explanation.map((one: { source_id: string; duplicate_of?: string }) => [
        one.source_id,
        one.duplicate_of ?? null,
      ]),
    ),
  ).toEqual(agreed);
  const subscriptions: { subscription_id: string; is_duplicate: boolean }[] = (
    await read('subscriptions', { user_id: userId })
  ).body.data;
  expect(subscriptions.map((one) => [one.subscription_id, one.is_duplicate])).toEqual([
    [setBack, true],
    [first, false],
  ]);
  expect(await countDuplicates(deps.database)).toBe(before + 1);
});
