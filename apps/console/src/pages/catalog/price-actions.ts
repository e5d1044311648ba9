import type { PriceOut } from '@billing/domain';
import { pathOf } from '../../api/address.ts';
import type { Action } from '../../parts/action-type.ts';
import { givenNumber, givenText, textOf } from '../../parts/values.ts';
import type { Field, Values } from '../../parts/values.ts';
import { money } from '../../words/money.ts';

const soldAs = (products: readonly string[], initial = ''): Field => ({
  kind: 'suggest',
  name: 'product_id',
  label: 'Sold as the product',
  isRequired: true,
  options: products,
  initial,
});

/** `products`: ids of the project's. */
export const createPrice = (projectId: string, products: readonly string[]): Action => ({
  label: 'Map a price',
  title: `Map a price of Stripe in ${projectId}`,
  words:
    'Says as which product a price of Stripe is sold. What waits for it is released. Its terms are read from Stripe.',
  least: 'admin',
  isTried: true,
  fields: [
    {
      kind: 'text',
      name: 'stripe_price_id',
      label: 'Price of Stripe',
      description: 'price_…',
      isRequired: true,
    },
    soldAs(products),
    {
      kind: 'text',
      name: 'price_id',
      label: 'Id',
      description: 'By which checkouts name it. Empty: that of Stripe.',
    },
    {
      kind: 'number',
      name: 'access_days',
      label: 'Days of access',
      description: 'Of a price that is paid once. Empty: for ever.',
    },
  ],
  request: (values) => ({
    method: 'POST',
    path: pathOf`/api/v1/admin/projects/${projectId}/prices`,
    body: {
      stripe_price_id: textOf(values, 'stripe_price_id'),
      product_id: textOf(values, 'product_id'),
      price_id: givenText(values, 'price_id'),
      access_days: givenNumber(values, 'access_days'),
    },
  }),
});

const ofPrice = ({ project_id: projectId, price_id: id }: PriceOut): string =>
  pathOf`/api/v1/admin/projects/${projectId}/prices/${id}`;

const intervals = [
  { value: 'one_time', label: 'Once' },
  { value: 'day', label: 'By days' },
  { value: 'week', label: 'By weeks' },
  { value: 'month', label: 'By months' },
  { value: 'year', label: 'By years' },
] satisfies { value: PriceOut['interval']; label: string }[];

const recurs = { isShown: (values: Values): boolean => textOf(values, 'interval') !== 'one_time' };

const termsOf = (price: PriceOut): Field[] => [
  {
    kind: 'number',
    name: 'amount',
    label: 'Amount',
    description: (values) => {
      const [amount, currency] = [givenNumber(values, 'amount'), textOf(values, 'currency')];
      const isWhole = amount !== undefined && /^[a-z]{3}$/i.test(currency);
      return `In the currency’s smallest unit${isWhole ? `: ${money(amount, currency)}` : ''}. Empty: Stripe has no fixed one.`;
    },
    initial: (price.amount ?? '').toString(),
  },
  {
    kind: 'text',
    name: 'currency',
    label: 'Currency',
    description: 'Three letters, such as usd.',
    isRequired: true,
    initial: price.currency,
  },
  { kind: 'select', name: 'interval', label: 'Paid', options: intervals, initial: price.interval },
  {
    kind: 'number',
    name: 'interval_count',
    label: 'Every how many',
    isRequired: true,
    initial: String(price.interval_count),
    ...recurs,
  },
];

/** Only what differs: the others stay as they are. */
function priceChanges(values: Values, price: PriceOut): object {
  const written = {
    product_id: textOf(values, 'product_id'),
    amount: givenNumber(values, 'amount') ?? null,
    currency: textOf(values, 'currency').toLowerCase(),
    interval: textOf(values, 'interval'),
    interval_count: textOf(values, 'interval') === 'one_time' ? 1 : givenNumber(values, 'interval_count'),
  };
  const before: Readonly<Record<string, unknown>> = price;
  return Object.fromEntries(Object.entries(written).filter(([name, value]) => value !== before[name]));
}

export const changePrice = (price: PriceOut, products: readonly string[]): Action => ({
  label: 'Change',
  title: `Change ${price.price_id}`,
  words:
    'As what it is sold: whoever bought it has what the other product gives, at once. Its terms must be those of Stripe.',
  least: 'admin',
  isTried: true,
  fields: [soldAs(products, price.product_id), ...termsOf(price)],
  request: (values) => ({ method: 'PATCH', path: ofPrice(price), body: priceChanges(values, price) }),
});

export const archivePrice = (price: PriceOut): Action => {
  const isBack = price.is_archived;
  return {
    label: isBack ? 'Bring back' : 'Archive',
    title: `${isBack ? 'Bring back' : 'Archive'} ${price.price_id}`,
    words: isBack ? 'It is sold again.' : 'It is sold no more. Whoever bought it keeps what it gives.',
    least: 'admin',
    isTried: true,
    request: () => ({ method: 'PATCH', path: ofPrice(price), body: { is_archived: !isBack } }),
  };
};

export const deletePrice = (price: PriceOut): Action => ({
  label: 'Delete',
  title: `Delete the mapping ${price.price_id}`,
  words: 'Only of a price that nobody bought; else archive it.',
  least: 'admin',
  isTried: true,
  isDangerous: true,
  request: () => ({ method: 'DELETE', path: ofPrice(price) }),
});
