import { bringIn } from '../../testing/subscribe.test-support.ts';
import { startCommerce, uniqueId } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';

let commerce: Commerce;
let project: { projectId: string; apiKey: string };

beforeAll(async () => {
  commerce = await startCommerce({ STRIPE_READS_PER_SECOND: '1000' });
  project = await commerce.createProject();
});
afterEach(() => commerce.fault('none'));
afterAll(() => commerce.close());

const ask = (userId: string, more = '', apiKey = project.apiKey) =>
  commerce.http().get(`/api/v1/invoices?user_id=${userId}${more}`).set('authorization', `Bearer ${apiKey}`);

/** A subscription at Stripe of a new customer, which makes an invoice; returns the customer. */
async function subscribe(price: string, customer?: string): Promise<string> {
  const id = customer ?? (await commerce.stripe.customers.create({})).id;
  await commerce.stripe.subscriptions.create({
    customer: id,
    items: [{ price }],
    collection_method: 'send_invoice',
    days_until_due: 30,
  });
  return id;
}

async function mapTo(projectId: string, customers: readonly string[]): Promise<string> {
  const userId = uniqueId('user');
  for (const stripeCustomerId of customers)
    await commerce
      .admin('post', `/projects/${projectId}/customers`, {
        user_id: userId,
        stripe_customer_id: stripeCustomerId,
      })
      .expect(201);
  return userId;
}

test('the invoices of all customers of a user, newest first, page by page', async () => {
  const { stripePriceId } = await commerce.sell(project.projectId);
  const [one, two] = [await subscribe(stripePriceId), await subscribe(stripePriceId)];
  await subscribe(stripePriceId, one);
  const userId = await mapTo(project.projectId, [one, two]);
  const { body } = await ask(userId).expect(200);
  expect(body.next_cursor).toBeNull();
  expect(body.data).toHaveLength(3);
  expect(body.data[0]).toMatchObject({
    total: 1000,
    currency: 'usd',
    hosted_invoice_url: expect.stringMatching(/^http/),
    invoice_pdf: expect.stringMatching(/pdf/),
  });
  const moments = (body.data as { created: string }[]).map(({ created }) => created);
  expect(moments).toEqual(moments.toSorted().toReversed());
  const paged: unknown[] = [];
  for (let cursor: string | null = ''; cursor !== null && paged.length < 9;) {
    const from: string = cursor === '' ? '' : `&cursor=${cursor}`;
    const page = await ask(userId, `&limit=1${from}`).expect(200);
    paged.push(...(page.body.data as unknown[]));
    cursor = page.body.next_cursor;
  }
  const idsOf = (rows: unknown[]) => rows.map((row) => (row as { invoice_id: string }).invoice_id).toSorted();
  expect(idsOf(paged)).toEqual(idsOf(body.data as unknown[]));
  // A cursor leads to the own customers only.
  const forged = Buffer.from(JSON.stringify([one, ''])).toString('base64url');
  expect((await ask(await mapTo(project.projectId, []), `&cursor=${forged}`).expect(200)).body.data).toEqual(
    [],
  );
  const lost = Buffer.from(JSON.stringify([one, 'in_none'])).toString('base64url');
  expect((await ask(userId, `&cursor=${lost}`).expect(400)).body.errors).toMatchObject([{ path: 'cursor' }]);
});

test('what another project alone sold to the same customer is not shown', async () => {
  const other = await commerce.createProject();
  const ours = await commerce.sell(project.projectId);
  const theirs = await commerce.sell(other.projectId);
  const customer = await subscribe(ours.stripePriceId);
  await subscribe(theirs.stripePriceId, customer);
  const [user, same] = [await mapTo(project.projectId, [customer]), await mapTo(other.projectId, [customer])];
  const [mine, foreign] = [await ask(user).expect(200), await ask(same, '', other.apiKey).expect(200)];
  expect([mine.body.data.length, foreign.body.data.length]).toEqual([1, 1]);
  expect(mine.body.data[0].invoice_id).not.toBe(foreign.body.data[0].invoice_id);
});

test('the invoices of a subscription that was assigned are those of its user alone', async () => {
  const { stripePriceId } = await commerce.sell(project.projectId);
  const customer = await subscribe(stripePriceId);
  await subscribe(stripePriceId, customer);
  const owner = await mapTo(project.projectId, [customer]);
  const { data } = await commerce.stripe.subscriptions.list({ customer });
  for (const { id } of data) await bringIn(commerce, id);
  const body = { project_id: project.projectId, user_id: uniqueId('user'), reason: 'a colleague’s' };
  await commerce.admin('post', '/assign', { ...body, subscription_id: data[0]?.id }).expect(200);
  const shown = [await ask(owner).expect(200), await ask(body.user_id).expect(200)].map((answer) =>
    (answer.body.data as { invoice_id: string }[]).map((one) => one.invoice_id),
  );
  expect(shown).toEqual([[data[1]?.latest_invoice], [data[0]?.latest_invoice]]);
});

test('a user nobody has heard of, and one whose customer Stripe has no more, has none', async () => {
  expect((await ask('nobody').expect(200)).body).toEqual({ data: [], next_cursor: null });
  const customer = (await commerce.stripe.customers.create({})).id;
  const userId = await mapTo(project.projectId, [customer]);
  expect((await ask(userId).expect(200)).body.data).toEqual([]);
});

test('503 while Stripe is away, and while the budget of reads is spent', async () => {
  const userId = await mapTo(project.projectId, [(await commerce.stripe.customers.create({})).id]);
  await commerce.fault('500');
  expect((await ask(userId).expect(503)).body.code).toBe('stripe_unavailable');
  await commerce.fault('none');
  // Stripe's own refusal stops all readers for a while.
  await commerce.deps.budget.throttle(60_000);
  const refused = await ask(userId).expect(503);
  expect(refused.body.code).toBe('stripe_unavailable');
  expect(refused.headers['retry-after']).toBeDefined();
});
