import { hourMs, slotMs } from '@billing/domain';
import { startCommerce, uniqueId } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';

let commerce: Commerce;
/** Two projects; each has one user of the same id, with what the tests put in. */
let [one, two] = ['', ''];
const userId = uniqueId('user');
let refs: bigint[];
let priceOne: { stripePriceId: string; productId: string; priceId: string };
let priceTwo: typeof priceOne;

const noon = Date.parse('2026-11-22T12:00:00.000Z');
const minute = (count: number): Date => new Date(noon + count * 60_000);

beforeAll(async () => {
  commerce = await startCommerce();
  const { database } = commerce.deps;
  [one, two] = [(await commerce.createProject()).projectId, (await commerce.createProject()).projectId];
  [priceOne, priceTwo] = [await commerce.sell(one), await commerce.sell(two)];
  const users = [];
  for (const projectId of [one, two]) users.push(await database.user.create({ data: { projectId, userId } }));
  refs = users.map(({ id }) => id);
  await addSubscriptions();
  await addPurchases();
});
afterAll(() => commerce.close());

const names = { own: 'sub_own', shared: 'sub_shared', nobodys: 'sub_nobodys', late: 'sub_late' };

async function addSubscriptions(): Promise<void> {
  const { database } = commerce.deps;
  const rows = [
    { id: names.own, userRef: refs[0] ?? null, status: 'active', stripeCustomerId: 'cus_1' },
    { id: names.shared, userRef: refs[0] ?? null, status: 'past_due' },
    { id: names.nobodys, userRef: null, status: 'active' },
    { id: names.late, userRef: refs[1] ?? null, status: 'canceled', endedAt: minute(5) },
  ];
  // Two of the same moment, as a page may end between them.
  const moments = [1, 2, 2, 3];
  for (const [index, row] of rows.entries())
    await database.subscription.create({ data: { ...row, createdAt: minute(moments[index] ?? 0) } });
  await database.objectOwner.create({
    data: { objectId: names.shared, projectId: two, userRef: refs[1] ?? 0n, source: 'mapping' },
  });
  const items = [
    [names.own, priceOne.stripePriceId],
    [names.shared, priceOne.stripePriceId],
    [names.shared, priceTwo.stripePriceId],
    [names.nobodys, 'price_unknown'],
  ] as const;
  for (const [subscriptionId, stripePriceId] of items)
    await database.subscriptionItem.create({
      data: {
        subscriptionId,
        itemId: uniqueId('si'),
        stripePriceId,
        quantity: 2n,
        currentPeriodEnd: minute(9),
      },
    });
}

async function addPurchases(): Promise<void> {
  const { database } = commerce.deps;
  const paid = { status: 'paid', userRef: refs[0] ?? null, amount: 700n, currency: 'usd', paidAt: minute(0) };
  const rows = [
    { id: 'pi_own', ...paid, sessionId: 'cs_own', createdAt: minute(1) },
    { id: 'pi_of_invoice', ...paid, invoiceId: 'in_renewal', createdAt: minute(2) },
    { id: 'pi_recorded', ...paid, receiptId: 'in_receipt', createdAt: minute(3) },
    { id: 'in_receipt', ...paid, createdAt: minute(4) },
    { id: 'pi_unused', status: 'pending', createdAt: minute(5) },
    {
      id: 'pi_open',
      status: 'pending',
      userRef: refs[1] ?? null,
      sessionId: 'cs_open',
      createdAt: minute(6),
    },
  ];
  for (const data of rows) await database.purchase.create({ data });
  await database.purchaseItem.create({
    data: { purchaseId: 'pi_own', stripePriceId: priceOne.stripePriceId, quantity: 1n },
  });
}

type Row = Record<string, unknown>;

/** All rows, read by pages of each size, which must agree. */
async function listed(path: string): Promise<Row[]> {
  const lists: Row[][] = [];
  for (const limit of [1, 2, 50]) {
    const rows: Row[] = [];
    for (let cursor: string | null = ''; cursor !== null && rows.length < 50;) {
      const query: string = `limit=${limit}${cursor === '' ? '' : `&cursor=${cursor}`}`;
      const { body } = await commerce
        .admin('get', `${path}${path.includes('?') ? '&' : '?'}${query}`)
        .expect(200);
      rows.push(...(body.data as Row[]));
      cursor = body.next_cursor;
    }
    lists.push(rows);
  }
  expect(lists[0]).toEqual(lists[2]);
  expect(lists[1]).toEqual(lists[2]);
  return lists[2] ?? [];
}

describe('subscriptions', () => {
  test.each([
    ['', [names.late, names.shared, names.shared, names.nobodys, names.own]],
    ['status=active', [names.nobodys, names.own]],
    ['stripe_customer_id=cus_1', [names.own]],
    [`user_id=${userId}`, [names.late, names.shared, names.shared, names.own]],
    ['user_id=nobody', []],
    ['product_id=none', []],
  ])('?%s: those, newest first', async (query, expected) => {
    const rows = await listed(`/subscriptions?${query}`);
    expect(rows.map((row) => row['subscription_id'])).toEqual(expected);
  });

  test('of a project: its own items, and those of the product that is asked for', async () => {
    const own = await listed(`/subscriptions?project_id=${one}`);
    expect(own.map((row) => row['subscription_id'])).toEqual([names.shared, names.own]);
    expect(own[0]).toMatchObject({ project_id: one, user_id: userId, status: 'past_due' });
    expect(own[0]?.['items']).toMatchObject([
      { price_id: priceOne.priceId, product_id: priceOne.productId, quantity: 2 },
    ]);
    const other = await listed(`/subscriptions?project_id=${two}&product_id=${priceTwo.productId}`);
    expect(other).toMatchObject([{ subscription_id: names.shared, items: [{ price_id: priceTwo.priceId }] }]);
    expect(await listed(`/subscriptions?project_id=${two}&user_id=nobody`)).toEqual([]);
  });

  test('without an owner: all items, and what nobody sells', async () => {
    const rows = await listed('/subscriptions?status=active');
    expect(rows[0]).toMatchObject({
      project_id: null,
      user_id: null,
      owner_source: null,
      items: [{ stripe_price_id: 'price_unknown', price_id: null, product_id: null }],
    });
  });
});

test('purchases are what was bought once: no payments of invoices, no receipts, nothing that was never sold', async () => {
  const ids = async (query: string) => (await listed(`/purchases?${query}`)).map((row) => row['purchase_id']);
  expect(await ids('')).toEqual(['pi_open', 'pi_recorded', 'pi_own']);
  expect(await ids(`project_id=${one}`)).toEqual(['pi_recorded', 'pi_own']);
  expect(await ids('status=pending')).toEqual(['pi_open']);
  expect(await ids(`product_id=${priceOne.productId}`)).toEqual(['pi_own']);
  const [row] = (await listed(`/purchases?product_id=${priceOne.productId}`)) as [Row];
  expect(row).toMatchObject({ amount: 700, paid_at: minute(0).toISOString(), session_id: 'cs_own' });
});

test('what happened to a user is one list, by kinds or together', async () => {
  const { database } = commerce.deps;
  const path = `/users/${one}/${userId}/timeline`;
  const granted = { project_id: one, user_id: userId, feature_code: 'extra', reason: 'sorry' };
  const { body: grant } = await commerce.admin('post', '/grant', granted).expect(201);
  await commerce.admin('post', '/revoke', { grant_id: grant.grant_id, reason: 'enough' }).expect(200);
  const event = { type: 'customer.subscription.updated', status: 'applied', receivedAt: minute(0) };
  await database.stripeEvent.createMany({
    data: [1, 2].map((n) => ({ ...event, eventId: `evt_${n}`, objectId: names.own, created: minute(n) })),
  });
  const key = { projectId: one, userId, featureCode: 'calls' };
  await database.usageState.create({ data: key });
  const hour = Math.floor(noon / hourMs) * hourMs;
  await database.usageSlot.createMany({
    data: [0, 1, 3, 4].map((n) => ({
      ...key,
      start: new Date(hour + n * slotMs),
      quantity: 5n,
      overage: 0n,
    })),
  });
  const message = { projectId: one, userId, type: 'entitlements.changed', full: '{}', createdAt: minute(7) };
  await database.webhookMessage.create({ data: { id: 'msg_1', ...message } });
  const told = { messageId: 'msg_1', projectId: one, type: message.type, form: 'full' };
  for (const [endpointId, status] of [
    ['we_1', 'succeeded'],
    ['we_2', 'failed'],
  ] as const)
    await database.webhookDelivery.create({ data: { ...told, endpointId, status } });

  const rows = await listed(path);
  const moments = rows.map(({ at }) => String(at));
  expect(moments).toEqual(moments.toSorted().toReversed());
  const of = (kind: string) => rows.filter((row) => row['kind'] === kind);
  expect(of('stripe_event').map(({ id }) => id)).toEqual(['evt_2', 'evt_1']);
  expect(of('grant')).toMatchObject([
    { id: grant.grant_id, action: 'revoked', reason: 'enough', subject: 'extra' },
    { id: grant.grant_id, action: 'granted', reason: 'sorry', actor: expect.any(String) },
  ]);
  expect(of('usage')).toMatchObject([
    { at: new Date(hour + hourMs).toISOString(), quantity: 5, subject: 'calls' },
    { at: new Date(hour).toISOString(), quantity: 15 },
  ]);
  expect(of('webhook')).toMatchObject([{ id: 'msg_1', status: 'failed' }]);
  for (const kind of ['stripe_event', 'grant', 'usage', 'webhook'])
    expect(await listed(`${path}?kind=${kind}`)).toEqual(of(kind));
  // Reads are not what happened.
  expect(of('audit')).toEqual([]);
  const { body } = await commerce.admin('get', `/audit?action=user.read&target_id=${userId}&limit=1`);
  expect(body.data).toMatchObject([{ details: { part: 'timeline' } }]);
  await commerce.admin('get', `/users/${one}/nobody/timeline`).expect(404);
});

test('an event tells what it changed, and whose its objects are', async () => {
  const { database } = commerce.deps;
  const payload = (status: string) => ({
    id: 'evt',
    type: 'customer.subscription.updated',
    data: { object: { id: names.shared, object: 'subscription', status } },
  });
  const event = { type: 'customer.subscription.updated', objectId: names.shared, projectId: one };
  const rows = [
    { eventId: 'evt_before', created: minute(1), payload: payload('active') },
    { eventId: 'evt_after', created: minute(2), payload: payload('past_due') },
  ];
  await database.stripeEvent.createMany({
    data: rows.map((row) => ({ ...event, status: 'applied', receivedAt: minute(3), ...row })),
  });
  await database.subscription.update({ where: { id: names.shared }, data: { snapshotEventId: 'evt_after' } });
  const { body } = await commerce.admin('get', '/events/evt_after').expect(200);
  expect(body).toMatchObject({
    event_id: 'evt_after',
    payload: payload('past_due'),
    previous_event_id: 'evt_before',
    changes: [{ path: 'status', before: 'active', after: 'past_due' }],
  });
  const object = { kind: 'subscription', id: names.shared, is_newest: true, user_id: userId };
  expect(body.objects).toEqual(
    [one, two].toSorted().map((projectId) => ({ ...object, project_id: projectId })),
  );
  const first = await commerce.admin('get', '/events/evt_before').expect(200);
  expect(first.body).toMatchObject({ previous_event_id: null, changes: null });
  expect((await commerce.admin('get', '/events/evt_none').expect(404)).body.code).toBe('event_not_found');
});

test('who used most of a feature in a time comes first', async () => {
  const { projectId } = await commerce.createProject();
  const slot = { projectId, featureCode: 'calls', overage: 1n };
  await commerce.deps.database.usageSlot.createMany({
    data: [
      { ...slot, userId: 'a', start: minute(0), quantity: 3n },
      { ...slot, userId: 'a', start: minute(15), quantity: 4n },
      { ...slot, userId: 'b', start: minute(0), quantity: 9n },
      { ...slot, userId: 'c', start: minute(60), quantity: 50n },
      { ...slot, featureCode: 'other', userId: 'd', start: minute(0), quantity: 99n },
    ],
  });
  const path = `/projects/${projectId}/usage/top-users?feature_code=calls`;
  const window = `&from=${minute(1).toISOString()}&to=${minute(20).toISOString()}`;
  const { body } = await commerce.admin('get', `${path}${window}`).expect(200);
  expect(body).toEqual({
    feature_code: 'calls',
    from: minute(0).toISOString(),
    to: minute(30).toISOString(),
    users: 2,
    quantity: 16,
    data: [
      { user_id: 'b', quantity: 9, overage: 1 },
      { user_id: 'a', quantity: 7, overage: 2 },
    ],
  });
  const first = await commerce.admin('get', `${path}${window}&limit=1`).expect(200);
  expect(first.body).toMatchObject({ users: 2, data: [{ user_id: 'b' }] });
});
