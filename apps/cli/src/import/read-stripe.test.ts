import type { ImportDeps } from '@billing/sync';
import { quiet, startOldAccount } from './import.test-support.ts';
import { readAccountId } from './import-account.ts';
import { invalidKey, refusal } from './stripe-front.test-support.ts';
import type { FrontAnswer } from './stripe-front.test-support.ts';

let account: Awaited<ReturnType<typeof startOldAccount>>;
beforeAll(async () => {
  account = await startOldAccount();
});
afterEach(() => account.front.interfere(() => null));
afterAll(() => account.close());

type Budget = ImportDeps['sync']['budget'];

/** The budget, with a record of its calls. */
function watch({ take, throttle, look }: Budget) {
  const taken: (string | undefined)[] = [];
  const throttled: (number | null | undefined)[] = [];
  const budget: Budget = {
    look,
    take: (priority, signal) => {
      taken.push(priority);
      return take(priority, signal);
    },
    throttle: (retryAfterMs) => {
      throttled.push(retryAfterMs);
      return throttle(retryAfterMs);
    },
  };
  return { budget, taken, throttled };
}

const readingWith = (budget: Budget) => ({
  sync: { ...account.sync, budget },
  progress: quiet,
  pageSize: 1,
});

/** A subscription whose row is outdated, and whose items Stripe lists on two pages. */
async function sellBundle() {
  const [one, other] = [
    await account.price('One', { interval: 'month' }),
    await account.price('Other', { interval: 'month' }),
  ];
  const { id: customer } = await account.customer({ user_id: 'ann' });
  const items = [{ price: one.priceId }, { price: other.priceId }];
  const { id } = await account.stripe.subscriptions.create({ customer, items });
  const mapping = {
    products: [one, other].map(({ productId }) => ({
      product_id: productId,
      name: productId,
      feature_codes: [productId],
      stripe_product_id: productId,
      prices: [],
    })),
  };
  await account.run({ mapping });
  const whole = await account.stripe.subscriptions.update(id, { cancel_at_period_end: true });
  const [first, second] = whole.items.data;
  account.front.interfere(({ path, query }) => {
    const page = (item: typeof first, hasMore: boolean) => ({
      object: 'list',
      data: [item],
      has_more: hasMore,
    });
    if (path === `/v1/subscriptions/${id}`)
      return { status: 200, body: { ...whole, items: { ...whole.items, ...page(first, true) } } };
    if (path !== '/v1/subscription_items') return null;
    const isFirst = query.get('starting_after') === null;
    return { status: 200, body: isFirst ? page(first, true) : page(second, false) };
  });
  return { id, mapping, features: [one.productId, other.productId].sort() };
}

test('each request takes one token from the budget, at background priority', async () => {
  const { id, mapping, features } = await sellBundle();
  const { budget, taken } = watch(account.sync.budget);
  account.front.forget();
  await readAccountId(readingWith(budget));
  const { counts } = await account.run({ mapping }, { budget, pageSize: 1 });
  expect(counts).toMatchObject({ subscriptions_imported: 1 });
  expect(account.front.pagesOf('/v1/account')).toHaveLength(1);
  expect(account.front.pagesOf(`/v1/subscriptions/${id}`)).toHaveLength(1);
  expect(account.front.pagesOf('/v1/subscription_items')).toEqual([null, expect.stringMatching(/^si_/)]);
  expect(taken).toEqual(account.front.asked.map(() => 'background'));
  expect((await account.features('ann')).sort()).toEqual(features);
});

test('after a 429 the budget is told how long Stripe asks to pause, and reads wait while it refuses', async () => {
  await account.customer({ user_id: 'ann' });
  account.front.forget();
  account.front.interfere(({ path }) => {
    if (path !== '/v1/customers' || account.front.pagesOf(path).length > 1) return null;
    return { status: 429, headers: { 'retry-after': '11' }, body: { error: { message: 'Too many.' } } };
  });
  let refusals = 0;
  // As the budget does while a pause is longer than its wait for a token.
  const takes = { take: () => Promise.resolve((refusals -= 1) < 0) };
  const pauses = { throttle: () => Promise.resolve(void (refusals = 2)), look: () => Promise.resolve(null) };
  const { budget, throttled } = watch({ ...takes, ...pauses });
  const said: string[] = [];
  const run = account.run({}, { budget, progress: { ...quiet, say: (line) => said.push(line) } });
  expect((await run).counts).toMatchObject({ customers_mapped: 1 });
  expect(throttled).toEqual([11_000]);
  expect(refusals).toBeLessThan(0);
  expect(said).toEqual(['Stripe limits the rate of reads; trying again in 11 s.']);
});

test.each<[what: string, said: FrontAnswer, advice: string]>([
  ['a key', invalidKey, 'Invalid API Key provided. Correct STRIPE_SECRET_KEY, then'],
  [
    'a permission',
    refusal(403, { type: 'invalid_request_error', message: 'The key may not read customers' }),
    'The key may not read customers. Give the key the permission to read it, then',
  ],
  [
    'a request',
    refusal(400, { type: 'invalid_request_error', message: 'Unknown parameter.' }),
    'Unknown parameter. Check STRIPE_SECRET_KEY and STRIPE_API_BASE, then',
  ],
])('Stripe refuses %s: the error says what to do next', async (_what, said, advice) => {
  account.front.interfere(() => said);
  await expect(account.run()).rejects.toThrow(
    `Stripe refused the request: ${advice} run the same command again`,
  );
});

test('reading the account is retried; only a key without the permission goes on without it', async () => {
  const lookup = readingWith(account.sync.budget);
  await account.control('/faults', { mode: '500', path: '/v1/account', times: 2 });
  expect(await readAccountId(lookup)).toMatch(/^acct_/);
  const forbidden = refusal(403, { type: 'invalid_request_error', message: 'No.' });
  account.front.interfere(() => forbidden);
  expect(await readAccountId(lookup)).toBeNull();
  account.front.interfere(() => invalidKey);
  await expect(readAccountId(lookup)).rejects.toThrow('Correct STRIPE_SECRET_KEY');
});
