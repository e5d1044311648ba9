import { itemPriceOf, noItemPrice } from './price.ts';
import { projectEvent } from './project-event.ts';
import { subscriptionSnapshot } from './subscription.ts';

const price = {
  id: 'price_1',
  object: 'price',
  product: 'prod_1',
  currency: 'usd',
  billing_scheme: 'per_unit',
  unit_amount: 1000,
  unit_amount_decimal: '1000',
  nickname: 'of somebody',
  recurring: { interval: 'month', interval_count: 3, usage_type: 'licensed', meter: null },
  transform_quantity: null,
};
const read = {
  unitAmount: '1000',
  currency: 'usd',
  interval: 'month',
  intervalCount: 3,
  usageType: 'licensed',
  billedQuantity: null,
  stripeProductId: 'prod_1',
};
/** Its product is heard all the same. */
const noTerms = { ...noItemPrice, stripeProductId: 'prod_1' };

test.each<[what: string, rendered: unknown, quantity: number, expected: object]>([
  ['a price', price, 1, read],
  ['an id alone', 'price_1', 1, noItemPrice],
  ['nothing', null, 1, noItemPrice],
  ['paid once', { ...price, recurring: null }, 1, noTerms],
  ['an expanded product', { ...price, product: { id: 'prod_1', name: 'Of somebody' } }, 1, read],
  ['no product', { ...price, product: undefined }, 1, { ...read, stripeProductId: null }],
  [
    'a fraction of a cent',
    { ...price, unit_amount: null, unit_amount_decimal: '0.50' },
    1,
    { ...read, unitAmount: '0.5' },
  ],
  [
    'an object of the client',
    { ...price, unit_amount_decimal: { toJSON: () => '12.5' } },
    1,
    { ...read, unitAmount: '12.5' },
  ],
  ['without a decimal', { ...price, unit_amount_decimal: undefined }, 1, read],
  [
    'tiers',
    { ...price, billing_scheme: 'tiered', unit_amount: null, unit_amount_decimal: null },
    1,
    { ...read, unitAmount: null },
  ],
  [
    'metered',
    { ...price, recurring: { interval: 'month', interval_count: 1, usage_type: 'metered' } },
    1,
    { ...read, intervalCount: 1, usageType: 'metered' },
  ],
  [
    'packages, up',
    { ...price, transform_quantity: { divide_by: 10, round: 'up' } },
    25,
    { ...read, billedQuantity: 3 },
  ],
  [
    'packages, down',
    { ...price, transform_quantity: { divide_by: 10, round: 'down' } },
    25,
    { ...read, billedQuantity: 2 },
  ],
  [
    'an interval nobody knows',
    { ...price, recurring: { interval: 'century', interval_count: 1 } },
    1,
    noTerms,
  ],
])('an item with %s', (_what, rendered, quantity, expected) => {
  expect(itemPriceOf(rendered, quantity)).toEqual(expected);
});

const subscription = (parts: object = {}) => ({
  id: 'sub_1',
  object: 'subscription',
  status: 'active',
  items: { data: [{ id: 'si_1', quantity: 2, price }], has_more: false },
  ...parts,
});

test('what an event is kept as has the prices, without what nobody needs', () => {
  const event = {
    id: 'evt_1',
    object: 'event',
    type: 'customer.subscription.updated',
    data: { object: subscription() },
  };
  const projected = projectEvent(event);
  expect(projectEvent(projected)).toEqual(projected);
  expect(JSON.stringify(projected)).not.toContain('nickname');
  const { data } = projected as { data: { object: unknown } };
  expect(subscriptionSnapshot.parse(data.object).items[0]).toMatchObject(read);
});

const half = { percent_off: 50, amount_off: null, currency: null, duration: 'forever', name: 'of somebody' };
const terms = { percentOff: '50', amountOff: null, currency: null, duration: 'forever' };
const of = (discountId: string, coupon: object | null, itemId: string | null = null) => ({
  discountId,
  itemId,
  end: null,
  coupon,
});

test.each<[what: string, parts: object, discounts: object[] | null]>([
  ['not rendered', {}, null],
  ['none', { discounts: [] }, []],
  ['ids', { discounts: ['di_1', 'di_2'] }, [of('di_1', null), of('di_2', null)]],
  ['expanded', { discounts: [{ id: 'di_1', source: { coupon: half } }] }, [of('di_1', terms)]],
  [
    'expanded without the coupon',
    { discounts: [{ id: 'di_1', source: { coupon: 'half' } }] },
    [of('di_1', null)],
  ],
  ['with the coupon in it (until 2025)', { discounts: [{ id: 'di_1', coupon: half }] }, [of('di_1', terms)]],
  [
    'beside the list (until 2025)',
    { discounts: ['di_1'], discount: { id: 'di_1', coupon: half } },
    [of('di_1', terms)],
  ],
  ['without the list', { discount: { id: 'di_1', coupon: half } }, [of('di_1', terms)]],
  [
    'of an item',
    { discounts: [], items: { data: [{ id: 'si_1', price, discounts: ['di_3'] }], has_more: false } },
    [of('di_3', null, 'si_1')],
  ],
])('discounts: %s', (_what, parts, discounts) => {
  const event = { id: 'evt_1', data: { object: subscription(parts) } };
  for (const rendered of [
    subscription(parts),
    (projectEvent(event) as { data: { object: unknown } }).data.object,
  ])
    expect(subscriptionSnapshot.parse(rendered).discounts).toEqual(discounts);
});
