import { join } from 'node:path';
import type { ImportDeps, ImportState } from '@billing/sync';
import { newState, quiet, startOldAccount } from './import.test-support.ts';
import { readState, resumeState, writeState } from './resume-state.ts';
import { invalidKey, refusal } from './stripe-front.test-support.ts';

let account: Awaited<ReturnType<typeof startOldAccount>>;
beforeEach(async () => {
  account = await startOldAccount();
});
afterEach(() => account.close());

const people = ['ann', 'bob', 'cid', 'dan', 'eve'];
/** Those with objects in this account. */
const phases = ['customers', 'subscriptions', 'sessions', 'payments', 'invoices'] as const;
const lists = {
  catalog: '/v1/prices',
  customers: '/v1/customers',
  subscriptions: '/v1/subscriptions',
  sessions: '/v1/checkout/sessions',
  payments: '/v1/payment_intents',
  invoices: '/v1/invoices',
  refunds: '/v1/refunds',
  disputes: '/v1/disputes',
};

/** Five people, each with a subscription and a purchase: with two on a page, every list has several. */
async function sellToFive() {
  const pro = await account.price('Pro', { interval: 'month' });
  const book = await account.price('Book');
  for (const name of ['Other', 'Another', 'A third']) await account.price(name);
  for (const user of people) {
    const { id } = await account.customer({ user_id: user });
    await account.buy(id, pro.priceId, { mode: 'subscription' });
    await account.buy(id, book.priceId, { mode: 'payment' });
  }
  account.front.forget();
  const product = (name: string, feature: string, { productId }: typeof pro) => ({
    product_id: name,
    name,
    feature_codes: [feature],
    stripe_product_id: productId,
    prices: [],
  });
  return { products: [product('pro', 'export', pro), product('book', 'read', book)] };
}

const allOfIt = {
  customers_seen: 5,
  customers_mapped: 5,
  subscriptions_seen: 5,
  subscriptions_imported: 5,
  payments_seen: 5,
  payments_imported: 5,
};

async function expectAllImported(): Promise<void> {
  for (const user of people) expect(await account.features(user)).toEqual(['export', 'read']);
  expect(await account.database.subscription.count()).toBe(5);
  expect(await account.database.purchase.count()).toBe(5);
}

type Mapping = Awaited<ReturnType<typeof sellToFive>>;

/** A run as the command line makes it, with two objects on a page and a state file. */
function run(mapping: Mapping, progress: ImportDeps['progress'] = quiet) {
  const path = join(account.folder, 'state.json');
  const state = resumeState(path, { subject: newState().subject, progress });
  return account.run({ mapping }, { pageSize: 2, state, progress, save: () => writeState(path, state) });
}

function keptState(): ImportState {
  const kept = readState(join(account.folder, 'state.json'));
  if (kept.kind !== 'saved') throw new Error(`the kept place is ${kept.kind}`);
  return kept.state;
}

/** Lets the first page of a phase's list pass, and none after it. */
const endAfterFirstPage = (phase: (typeof phases)[number]): void =>
  account.front.interfere(({ path, query }) =>
    path === lists[phase] && query.has('starting_after') ? invalidKey : null,
  );

/** The object after which the last run went on with the unfinished phase of the run before. */
const resumedAfter = (place: ImportState | null): string | null | undefined =>
  place === null ? undefined : account.front.pagesOf(lists[place.phase])[0];

test('every list is read once, page after page', async () => {
  const mapping = await sellToFive();
  const { counts, findings } = await run(mapping);
  expect(counts).toMatchObject({ ...allOfIt, prices_created: 2 });
  expect(findings).toEqual({});
  await expectAllImported();
  const pages = { [lists.catalog]: 3, [lists.customers]: 3, [lists.subscriptions]: 3 };
  // Each person has two sessions and two payments: the subscription's first one as well.
  const longer = { [lists.sessions]: 5, [lists.payments]: 5 };
  for (const [list, expected] of Object.entries({ ...pages, ...longer })) {
    const begins = account.front.pagesOf(list);
    expect([list, begins.length, new Set(begins).size]).toEqual([list, expected, expected]);
    expect(begins[0]).toBeNull();
  }
  const before = await account.contents();
  const atOnce = await account.run({ mapping });
  expect(atOnce.counts).toMatchObject({
    customers_there_already: 5,
    subscriptions_there_already: 5,
    payments_there_already: 5,
  });
  expect(await account.contents()).toBe(before);
});

test('a run that stops in the middle of a list goes on at its next page, in every phase', async () => {
  const mapping = await sellToFive();
  let place: ImportState | null = null;
  for (const phase of phases) {
    endAfterFirstPage(phase);
    account.front.forget();
    await expect(run(mapping)).rejects.toThrow('Invalid API Key provided.');
    expect(resumedAfter(place)).toBe(place?.cursor);
    place = keptState();
    expect(place).toMatchObject({ phase, done: 2 });
    for (const earlier of phases.slice(0, Math.max(0, phases.indexOf(phase) - 1)))
      expect(account.front.pagesOf(lists[earlier])).toEqual([]);
  }
  account.front.interfere(() => null);
  account.front.forget();
  const { counts, findings } = await run(mapping);
  expect(resumedAfter(place)).toBe(place?.cursor);
  expect(counts).toMatchObject(allOfIt);
  expect(findings).toEqual({});
  await expectAllImported();
}, 60_000);

test('a place whose object was deleted makes the phase start over, and a line reports it', async () => {
  const mapping = await sellToFive();
  endAfterFirstPage('customers');
  await expect(run(mapping)).rejects.toThrow('Invalid API Key provided.');
  account.front.interfere(() => null);
  const gone = keptState().cursor ?? '';
  await account.stripe.customers.del(gone);
  account.front.forget();
  const said: string[] = [];
  const { counts } = await run(mapping, { ...quiet, say: (line) => said.push(line) });
  expect(said).toEqual([
    'Going on where the last run stopped (customers, 2 done; counting on from there).',
    `Stripe has ${gone} no more, where the list of customers was to go on: beginning it anew.`,
  ]);
  expect(account.front.pagesOf(lists.customers).slice(0, 2)).toEqual([gone, null]);
  expect(counts).toMatchObject({ customers_seen: 4, customers_there_already: 1, customers_mapped: 3 });
  expect(counts).toMatchObject({ subscriptions_imported: 4, payments_imported: 5 });
  expect(await account.database.customer.count()).toBe(5);
});

test('a list that keeps losing its place ends the run', async () => {
  const mapping = await sellToFive();
  const missing = refusal(400, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message: 'No such customer',
  });
  account.front.interfere(({ query }) => (query.has('starting_after') ? missing : null));
  await expect(account.run({}, { pageSize: 2 })).rejects.toThrow('Run the same command later.');
  // The catalog keeps no place: there it is a refusal like any other.
  await expect(account.run({ mapping }, { pageSize: 2 })).rejects.toThrow('Stripe refused the request');
});
