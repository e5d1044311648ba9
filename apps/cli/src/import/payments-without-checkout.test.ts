import { startOldAccount } from './import.test-support.ts';

let account: Awaited<ReturnType<typeof startOldAccount>>;
beforeEach(async () => {
  account = await startOldAccount();
});
afterEach(() => account.close());

async function sellBook() {
  const book = await account.price('Book');
  const mapping = {
    products: [
      {
        product_id: 'book',
        name: 'Book',
        feature_codes: ['read'],
        prices: [{ stripe_price_id: book.priceId, price_id: 'book_once' }],
      },
    ],
  };
  return { book, mapping };
}

/** A PaymentIntent that names what it pays for; the offline Stripe makes one by Checkout only. */
async function pay(priceId: string, metadata: Record<string, string>) {
  const { id: customer } = await account.customer();
  await account.buy(customer, priceId, { mode: 'payment', metadata });
  const { data: intents } = await account.stripe.paymentIntents.list({ customer });
  const { data: charges } = await account.stripe.charges.list({ customer });
  return { id: intents[0]?.id ?? '', charge: charges[0]?.id ?? '', customer };
}

/** Hides the checkout sessions, so that only the payments are known. */
const hideSessions = (): void =>
  account.front.interfere(({ method, path }) =>
    method === 'GET' && path === '/v1/checkout/sessions'
      ? { status: 200, body: { object: 'list', data: [], has_more: false, url: path } }
      : null,
  );

const of = (user: string, price = 'book_once') => ({ price_id: price, user_id: user, project_id: 'shop' });

test("a payment whose own metadata names price and user is that user's purchase", async () => {
  const { book, mapping } = await sellBook();
  const ours = await pay(book.priceId, of('ann'));
  await pay(book.priceId, of('bob', book.priceId));
  await pay(book.priceId, of('cid', 'not_of_this_project'));
  await pay(book.priceId, {});
  hideSessions();
  const { counts, findings } = await account.run({ mapping });
  expect(counts).toMatchObject({ payments_seen: 2, payments_imported: 2 });
  expect(findings).toEqual({});
  expect(await account.features('ann')).toEqual(['read']);
  expect(await account.features('bob')).toEqual(['read']);
  expect(await account.features('cid')).toEqual([]);
  const row = await account.database.purchase.findUniqueOrThrow({ where: { id: ours.id } });
  expect(row).toMatchObject({
    sessionId: null,
    stripeCustomerId: ours.customer,
    amount: 900n,
    currency: 'usd',
  });
  expect(row).toMatchObject({ status: 'paid', snapshotEventId: null });
  expect(await account.database.stripeEvent.count()).toBe(0);
  const before = await account.contents();
  expect((await account.run({ mapping })).counts).toMatchObject({ payments_there_already: 2 });
  expect(await account.contents()).toBe(before);
});

test('refunds and disputes of a payment are imported; a partial refund takes nothing away', async () => {
  const { book, mapping } = await sellBook();
  const paid: Record<string, Awaited<ReturnType<typeof pay>>> = {};
  for (const user of ['rae', 'pia', 'dan', 'won']) paid[user] = await pay(book.priceId, of(user));
  const chargeOf = (user: string): string => paid[user]?.charge ?? '';
  await account.stripe.refunds.create({ charge: chargeOf('rae') });
  await account.stripe.refunds.create({ charge: chargeOf('pia'), amount: 100 });
  for (const user of ['dan', 'won']) await account.control(`/charges/${chargeOf(user)}/dispute`);
  const { data: disputes } = await account.stripe.disputes.list({ charge: chargeOf('won') });
  await account.control(`/disputes/${disputes[0]?.id}/close`, { status: 'won' });
  hideSessions();
  const { counts } = await account.run({ mapping });
  expect(counts).toMatchObject({ payments_seen: 4, payments_imported: 4 });
  const allowed = await Promise.all(['rae', 'pia', 'dan', 'won'].map((user) => account.features(user)));
  expect(allowed).toEqual([[], ['read'], [], ['read']]);
});

test('a payment that names no user is stored, listed, and released by mapping its customer', async () => {
  const { book, mapping } = await sellBook();
  const { id, customer } = await pay(book.priceId, { price_id: 'book_once' });
  hideSessions();
  const { findings } = await account.run({ mapping });
  expect(findings).toEqual({ payments_without_user: { count: 1, examples: [`${id} (${customer})`] } });
  await account.run({ mapping, listed: { [customer]: 'ann' } });
  expect(await account.features('ann')).toEqual(['read']);
});

test('a dry run counts a payment that names its price once, with or without Checkout, as the import does', async () => {
  const { book, mapping } = await sellBook();
  await pay(book.priceId, of('ann'));
  await pay(book.priceId, { price_id: book.priceId });
  const foreign = await account.price('Not ours');
  await pay(foreign.priceId, of('bob'));
  const predicted = await account.run({ mapping }, { isDryRun: true });
  const done = await account.run({ mapping });
  expect(predicted).toEqual(done);
  // The third one's session sold nothing of ours; only the payment's metadata names it.
  expect(done.counts).toMatchObject({
    payments_seen: 4,
    payments_of_other_projects: 1,
    payments_imported: 3,
  });
  expect(await account.run({ mapping }, { isDryRun: true })).toEqual(await account.run({ mapping }));
});
