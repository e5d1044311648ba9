import { listQuarantine } from '@billing/store';
import { startOldAccount } from './import.test-support.ts';
import { summarize } from './summary.ts';

let account: Awaited<ReturnType<typeof startOldAccount>>;
beforeAll(async () => {
  account = await startOldAccount();
});
afterAll(() => account.close());

const idOf = (value: string | { id: string } | null): string =>
  typeof value === 'string' ? value : (value?.id ?? '');

/** Pays through a link: the customer is Stripe's own and names nobody. */
async function buyByLink(priceId: string, more: object = {}) {
  const session = await account.stripe.checkout.sessions.create({
    mode: 'subscription',
    success_url: 'https://app.example.com/done',
    line_items: [{ price: priceId, quantity: 1 }],
    ...more,
  });
  await account.control(`/checkout/sessions/${session.id}/pay`, {});
  const { subscription, customer } = await account.stripe.checkout.sessions.retrieve(session.id);
  return { subscriptionId: idOf(subscription), customerId: idOf(customer) };
}

test('a fresh installation: subscriptions known only by their session are their users’, the others are in quarantine', async () => {
  const pro = await account.price('Pro', { interval: 'month' });
  const foreign = await account.price('Foreign', { interval: 'month' });
  await buyByLink(pro.priceId, { client_reference_id: 'ann' });
  await buyByLink(pro.priceId, { metadata: { user_id: 'bob', project_id: 'shop' } });
  await buyByLink(pro.priceId, {
    client_reference_id: 'cara',
    subscription_data: { metadata: { project_id: 'shop' } },
  });
  const nobody = await buyByLink(pro.priceId);
  const named = await buyByLink(foreign.priceId, { metadata: { user_id: 'dan', project_id: 'shop' } });
  await buyByLink(foreign.priceId, { client_reference_id: 'eve' });
  const mapping = {
    products: [
      {
        product_id: 'pro',
        name: 'Pro',
        feature_codes: ['export'],
        prices: [{ stripe_price_id: pro.priceId }],
      },
    ],
  };
  const before = await account.contents();
  const foretold = await account.run({ mapping }, { isDryRun: true });
  expect(await account.contents()).toBe(before);
  const done = await account.run({ mapping });
  expect(done.counts).toMatchObject({
    subscriptions_seen: 6,
    subscriptions_imported: 5,
    subscriptions_of_other_projects: 2,
    subscriptions_with_user_by_session: 4,
  });
  expect(done.findings).toMatchObject({
    subscriptions_without_user: {
      count: 1,
      examples: [`${nobody.subscriptionId} (${nobody.customerId})`],
    },
  });
  expect(foretold).toEqual(done);
  expect(summarize(done, false)).toContain('whose checkout session names the user');
  for (const user of ['ann', 'bob', 'cara']) expect(await account.features(user)).toEqual(['export']);
  const { rows } = await listQuarantine(account.database, { limit: 50 });
  expect(new Map(rows.map((row) => [row.objectId, row.reason]))).toEqual(
    new Map([
      [nobody.subscriptionId, 'unknown_customer'],
      [named.subscriptionId, 'unknown_price'],
    ]),
  );
  const contents = await account.contents();
  const again = await account.run({ mapping });
  expect(await account.contents()).toBe(contents);
  expect(again.counts['subscriptions_with_user_by_session']).toBeUndefined();
});
