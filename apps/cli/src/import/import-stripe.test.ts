import { findPortalCustomer } from '@billing/store';
import type { ImportState } from '@billing/sync';
import { newState, startOldAccount } from './import.test-support.ts';
import { summarize } from './summary.ts';

let account: Awaited<ReturnType<typeof startOldAccount>>;
beforeEach(async () => {
  account = await startOldAccount();
});
afterEach(() => account.close());

/** A catalog of three products and three buyers; one is known by metadata, one by the list, one not at all. */
async function sellThings() {
  const pro = await account.price('Pro', { interval: 'month' });
  const book = await account.price('Book');
  const other = await account.price('Other', { interval: 'month' });
  const [ann, bob, eve] = await Promise.all([
    account.customer({ user_id: 'ann' }),
    account.customer(),
    account.customer(),
  ]);
  await account.buy(ann.id, pro.priceId, { mode: 'subscription' });
  await account.buy(ann.id, book.priceId, { mode: 'payment' });
  await account.buy(bob.id, pro.priceId, { mode: 'subscription' });
  await account.buy(eve.id, other.priceId, { mode: 'subscription' });
  const mapping = {
    products: [
      {
        product_id: 'pro',
        name: 'Pro',
        feature_codes: ['export'],
        prices: [{ stripe_price_id: pro.priceId, price_id: 'pro_monthly' }],
      },
      {
        product_id: 'book',
        name: 'Book',
        feature_codes: ['read'],
        stripe_product_id: book.productId,
        prices: [],
      },
    ],
  };
  return { pro, book, other, ann, bob, eve, mapping };
}

test('an account is imported whole: catalog, customers by metadata and by list, subscriptions, payments', async () => {
  const { mapping, ann, bob, pro } = await sellThings();
  const state = await account.run({ mapping, listed: { [bob.id]: 'bob' } });
  expect(state.counts).toMatchObject({
    products_created: 2,
    prices_created: 2,
    customers_seen: 3,
    customers_mapped: 2,
    customers_without_user: 1,
    subscriptions_seen: 3,
    subscriptions_imported: 2,
    subscriptions_of_other_projects: 1,
    payments_imported: 1,
  });
  expect(state.findings).toEqual({});
  expect(await account.features('ann')).toEqual(['export', 'read']);
  expect(await account.features('bob')).toEqual(['export']);
  const price = await account.database.price.findUnique({ where: { stripePriceId: pro.priceId } });
  expect(price).toMatchObject({ priceId: 'pro_monthly', amount: 900n, currency: 'usd', interval: 'month' });
  const audited = await account.database.auditEntry.findMany({ where: { readable: { targetId: ann.id } } });
  expect(audited).toMatchObject([{ actor: 'import:stripe', action: 'customer.map' }]);
});

test('of several customers of a user the newest is billed, unless another one has a live subscription', async () => {
  const { mapping, pro } = await sellThings();
  const older = await account.customer({ user_id: 'zoe' });
  const holder = await account.customer({ user_id: 'yan' });
  await account.buy(holder.id, pro.priceId, { mode: 'subscription' });
  await account.control('/clock', { advance_seconds: 3_600 });
  const newer = await account.customer({ user_id: 'zoe' });
  await account.customer({ user_id: 'yan' });
  const { findings } = await account.run({ mapping });
  const customerOf = (userId: string) => findPortalCustomer(account.database, { projectId: 'shop', userId });
  expect(await customerOf('zoe')).toBe(newer.id);
  expect(await customerOf('yan')).toBe(holder.id);
  expect(findings['users_with_several_customers']?.examples).toContain(
    [older.id, newer.id].sort().join(', '),
  );
});

test('a second run changes nothing and says so', async () => {
  const { mapping, bob } = await sellThings();
  await account.run({ mapping, listed: { [bob.id]: 'bob' } });
  const before = await account.contents();
  const again = await account.run({ mapping, listed: { [bob.id]: 'bob' } });
  expect(await account.contents()).toBe(before);
  expect(again.counts).toMatchObject({
    products_there_already: 2,
    customers_there_already: 2,
    subscriptions_there_already: 2,
    payments_there_already: 1,
  });
});

test('a dry run predicts the counts and writes nothing', async () => {
  const { mapping, bob } = await sellThings();
  const input = { mapping, listed: { [bob.id]: 'bob' } };
  const before = await account.contents();
  const foretold = await account.run(input, { isDryRun: true });
  expect(await account.contents()).toBe(before);
  const done = await account.run(input);
  expect(foretold.counts).toEqual(done.counts);
  expect(foretold.findings).toEqual(done.findings);
  expect(summarize(foretold, true)).toContain('nothing was changed');
});

test('an import that fails goes on where it stopped', async () => {
  const { mapping, bob } = await sellThings();
  const input = { mapping, listed: { [bob.id]: 'bob' } };
  let kept: ImportState = newState();
  const state = newState();
  const save = (): void => {
    kept = structuredClone(state);
    if (state.phase === 'subscriptions') throw new Error('killed');
  };
  await expect(account.run(input, { state, save })).rejects.toThrow('killed');
  expect(kept.phase).toBe('subscriptions');
  const rest = await account.run(input, { state: kept });
  expect(rest.counts).toMatchObject({ customers_seen: 3, subscriptions_imported: 2, payments_imported: 1 });
  expect(await account.features('ann')).toEqual(['export', 'read']);
});

test('objects without a known user are stored, listed, and released by mapping alone', async () => {
  const { mapping, bob } = await sellThings();
  const state = await account.run({ mapping });
  expect(state.findings['subscriptions_without_user']).toMatchObject({ count: 1 });
  expect(summarize(state, false)).toContain(bob.id);
  expect(await account.features('bob')).toEqual([]);
  const released = await account.run({ mapping, listed: { [bob.id]: 'bob', cus_nobody: 'zoe' } });
  expect(await account.features('bob')).toEqual(['export']);
  expect(released.findings).toEqual({
    listed_customers_not_in_stripe: { count: 1, examples: ['cus_nobody'] },
  });
});

const mappingOf = (priceId: string) => ({
  products: [{ product_id: 'p', name: 'P', feature_codes: ['f'], prices: [{ stripe_price_id: priceId }] }],
});

test('prices that Stripe does not have, or that another project has, are listed and left alone', async () => {
  const weekly = await account.price('Weekly', { interval: 'week' });
  const taken = await account.price('Taken', { interval: 'month' });
  await account.database.project.create({ data: { id: 'other', name: 'Other' } });
  await account.run({ mapping: mappingOf(taken.priceId) }, { projectId: 'other' });
  const theirs = await account.customer({ user_id: 'tom', project_id: 'other' });
  await account.buy(theirs.id, taken.priceId, { mode: 'subscription' });
  const [first] = mappingOf(weekly.priceId).products;
  const prices = [weekly.priceId, taken.priceId, 'price_none'].map((id) => ({ stripe_price_id: id }));
  const mapping = { products: [{ product_id: 'p', name: 'P', feature_codes: ['f'], ...first, prices }] };
  const { counts, findings } = await account.run({ mapping });
  expect(findings).toMatchObject({
    prices_of_another_product: { count: 1 },
    prices_not_in_stripe: { count: 1, examples: ['price_none'] },
  });
  expect(counts).toMatchObject({ customers_of_other_projects: 1, subscriptions_of_other_projects: 1 });
});

test('quarterly, weekly, daily, metered and tiered prices come with their true terms, subscriptions with theirs', async () => {
  const product = (await account.stripe.products.create({ name: 'All' })).id;
  const make = async (recurring?: { interval: 'day' | 'week' | 'month'; interval_count?: number }) =>
    (
      await account.stripe.prices.create({
        product,
        currency: 'eur',
        unit_amount: 900,
        ...(recurring === undefined ? {} : { recurring }),
      })
    ).id;
  const [quarterly, weekly, daily] = [
    await make({ interval: 'month', interval_count: 3 }),
    await make({ interval: 'week', interval_count: 2 }),
    await make({ interval: 'day' }),
  ];
  const [pass, metered, tiered] = [
    await make(),
    await make({ interval: 'month' }),
    await make({ interval: 'month' }),
  ];
  const { data } = await account.stripe.prices.list({ product, limit: 100 });
  const monthly = { interval: 'month', interval_count: 1 };
  const others: Record<string, object> = {
    [metered]: { unit_amount: 5, unit_amount_decimal: '5', recurring: { ...monthly, usage_type: 'metered' } },
    [tiered]: { billing_scheme: 'tiered', unit_amount: null, unit_amount_decimal: null },
  };
  const body = { object: 'list', has_more: false, data: data.map((one) => ({ ...one, ...others[one.id] })) };
  account.front.interfere(({ method, path }) =>
    method === 'GET' && path === '/v1/prices' ? { status: 200, body } : null,
  );
  const customer = await account.customer({ user_id: 'quarta' });
  await account.buy(customer.id, quarterly, { mode: 'subscription' });
  const posing = { stripe_price_id: quarterly, interval: 'year' as const, amount: 300 };
  const all = { product_id: 'all', name: 'All', feature_codes: ['all'], access_days: 30 };
  const mapping = { products: [{ ...all, stripe_product_id: product, prices: [posing] }] };
  const { findings } = await account.run({ mapping });
  account.front.interfere(() => null);
  expect(findings).toMatchObject({
    prices_that_stripe_has_otherwise: { count: 1, examples: [quarterly] },
  });
  const stored = await account.database.price.findMany({ where: { productId: 'all' } });
  const termsOf = (id: string) => {
    const found = stored.find((one) => one.stripePriceId === id);
    return [found?.amount, found?.interval, found?.intervalCount, found?.usageType, found?.accessDays];
  };
  expect(termsOf(quarterly)).toEqual([900n, 'month', 3, 'licensed', null]);
  expect(termsOf(weekly)).toEqual([900n, 'week', 2, 'licensed', null]);
  expect(termsOf(daily)).toEqual([900n, 'day', 1, 'licensed', null]);
  expect(termsOf(metered)).toEqual([null, 'month', 1, 'metered', null]);
  expect(termsOf(tiered)).toEqual([null, 'month', 1, 'licensed', null]);
  expect(termsOf(pass)).toEqual([900n, 'one_time', 1, null, 30]);
  expect(stored.every((one) => one.verifiedAt !== null && one.verifyAt === null)).toBe(true);
  const item = await account.database.subscriptionItem.findFirst({ where: { stripePriceId: quarterly } });
  expect(item).toMatchObject({ unitAmount: '900', currency: 'eur', interval: 'month', intervalCount: 3 });
});

test('refunded and disputed purchases grant nothing', async () => {
  const { book, mapping } = await sellThings();
  const [rae, dan] = await Promise.all([
    account.customer({ user_id: 'rae' }),
    account.customer({ user_id: 'dan' }),
  ]);
  const chargeOf = async (customer: string): Promise<string> => {
    await account.buy(customer, book.priceId, { mode: 'payment' });
    const { data } = await account.stripe.charges.list({ customer });
    return data[0]?.id ?? '';
  };
  await account.stripe.refunds.create({ charge: await chargeOf(rae.id) });
  await account.control(`/charges/${await chargeOf(dan.id)}/dispute`);
  await account.run({ mapping });
  expect(await account.features('rae')).toEqual([]);
  expect(await account.features('dan')).toEqual([]);
  expect(await account.features('ann')).toContain('read');
});

test('a refund and a dispute of a subscription’s running period are imported, of another one’s are not', async () => {
  const { mapping, pro } = await sellThings();
  const other = await account.price('Other', { interval: 'month' });
  const chargeOf = async (user: string | null, priceId: string): Promise<string> => {
    const { id } = await account.customer(user === null ? {} : { user_id: user });
    await account.buy(id, priceId, { mode: 'subscription' });
    const { data } = await account.stripe.charges.list({ customer: id });
    return data[0]?.id ?? '';
  };
  await account.stripe.refunds.create({ charge: await chargeOf('rae', pro.priceId) });
  await account.stripe.refunds.create({ charge: await chargeOf('pia', pro.priceId), amount: 1 });
  await account.control(`/charges/${await chargeOf('dan', pro.priceId)}/dispute`);
  await account.stripe.refunds.create({ charge: await chargeOf(null, other.priceId) });
  await account.stripe.refunds.create({ charge: await chargeOf(null, pro.priceId) });
  const { counts } = await account.run({ mapping });
  expect(counts).toMatchObject({ money_back_imported: 4 });
  const allowed = await Promise.all(['rae', 'pia', 'dan'].map((user) => account.features(user)));
  expect(allowed).toEqual([[], ['export'], []]);
  const before = await account.contents();
  await account.run({ mapping });
  expect(await account.contents()).toBe(before);
});

test('an outdated row is read from Stripe and repaired', async () => {
  const { mapping, ann } = await sellThings();
  await account.run({ mapping });
  const { data } = await account.stripe.subscriptions.list({ customer: ann.id });
  const id = data[0]?.id ?? '';
  await account.stripe.subscriptions.update(id, { cancel_at_period_end: true });
  const { counts } = await account.run({ mapping });
  expect(counts).toMatchObject({ subscriptions_imported: 1 });
  const row = await account.database.subscription.findUniqueOrThrow({ where: { id } });
  expect(row).toMatchObject({ cancelAtPeriodEnd: true, rowVersion: 2n });
  expect(await account.database.stripeEvent.count()).toBe(0);
});

test.each(['429', '500'])(
  'Stripe out of order for a moment (%s) delays the import and loses nothing',
  async (mode) => {
    const { mapping } = await sellThings();
    await account.control('/faults', { mode, times: 2 });
    await account.run({ mapping });
    expect(await account.features('ann')).toEqual(['export', 'read']);
  },
);

test('an unknown project is refused, and the error says what to do', async () => {
  await expect(account.run({}, { projectId: 'nowhere' })).rejects.toThrow('projects create nowhere');
});
