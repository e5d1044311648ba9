import { invoiceFacts } from './invoice.ts';

const period = { start: 1_000, end: 2_000 };
const line = (parts: object) => ({ amount: 100, quantity: 1, period, ...parts });
const read = (lines: object[], more: object = {}) =>
  invoiceFacts.parse({
    id: 'in_1',
    status: 'paid',
    total: 100,
    lines: { data: lines, has_more: false },
    ...more,
  });

const details = (kind: 'subscription_item_details' | 'invoice_item_details', parts: object) => ({
  parent: { type: kind, [kind]: parts },
  pricing: { price_details: { price: 'price_1' } },
});

const cover = { itemId: 'si_1', stripePriceId: 'price_1', periodStart: 1_000_000, periodEnd: 2_000_000 };
const sold = { stripePriceId: 'price_1', quantity: 1 };

describe('what a line of an invoice bills', () => {
  it.each<[string, object, object[], object[]]>([
    [
      'a period',
      details('subscription_item_details', { subscription_item: 'si_1', proration: false }),
      [cover],
      [],
    ],
    [
      'a proration',
      details('subscription_item_details', { subscription_item: 'si_1', proration: true }),
      [],
      [],
    ],
    ['a one-time price', details('invoice_item_details', { proration: false }), [], [sold]],
    ['a proration of its own', details('invoice_item_details', { proration: true }), [], []],
    ['a period, old', { subscription_item: 'si_1', price: { id: 'price_1' } }, [cover], []],
    ['a period, with a plan', { subscription_item: 'si_1', plan: { id: 'price_1' } }, [cover], []],
    ['a proration, old', { subscription_item: 'si_1', price: { id: 'price_1' }, proration: true }, [], []],
    ['a one-time price, old', { price: { id: 'price_1' } }, [], [sold]],
    ['an amount without a price', {}, [], []],
    ['a credit', { price: { id: 'price_1' }, amount: -100 }, [], []],
    ['a free period', { subscription_item: 'si_1', price: { id: 'price_1' }, amount: 0 }, [], []],
    [
      'a period that a discount makes free',
      { subscription_item: 'si_1', price: { id: 'price_1' }, discount_amounts: [{ amount: 100 }] },
      [],
      [],
    ],
    [
      'a discounted period',
      { subscription_item: 'si_1', price: { id: 'price_1' }, discount_amounts: [{ amount: 99 }] },
      [cover],
      [],
    ],
    ['a one-time price for nothing', { price: { id: 'price_1' }, amount: 0 }, [], [sold]],
  ])('%s', (_what, parts, covers, items) => {
    expect(read([line(parts)])).toMatchObject({ covers, sold: items });
  });

  it('adds up lines of one price', () => {
    const lines = [
      line({ price: 'price_b' }),
      line({ price: 'price_a' }),
      line({ price: 'price_b', quantity: 3 }),
    ];
    expect(read(lines).sold).toEqual([
      { stripePriceId: 'price_a', quantity: 1 },
      { stripePriceId: 'price_b', quantity: 4 },
    ]);
  });
});

test('the owner is claimed by the invoice, else by its subscription', () => {
  const subscriptionDetails = { subscription: 'sub_1', metadata: { user_id: 'ann', project_id: 'shop' } };
  const ofSubscription = { parent: { subscription_details: subscriptionDetails } };
  expect(read([], ofSubscription)).toMatchObject({
    subscriptionId: 'sub_1',
    claims: { userId: 'ann', projectId: 'shop' },
  });
  expect(
    read([], { subscription: 'sub_1', subscription_details: { metadata: { user_id: 'ann' } } }),
  ).toMatchObject({
    subscriptionId: 'sub_1',
    claims: { userId: 'ann' },
  });
  expect(read([], { ...ofSubscription, metadata: { user_id: 'bob' } }).claims.userId).toBe('bob');
});

test('a total below zero is nothing that was paid', () => {
  expect(read([], { total: -5 }).total).toBeNull();
  expect(read([], { total: 0 }).total).toBe(0);
});

test('an old invoice says that it is paid, and a long one that it goes on', () => {
  expect(read([], { status: null, paid: true }).isPaid).toBe(true);
  expect(read([], { lines: { data: [], has_more: true } }).areLinesComplete).toBe(false);
});
