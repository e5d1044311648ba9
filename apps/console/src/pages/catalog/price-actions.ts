import type { PriceOut } from '@billing/domain';
import { pathOf } from '../../api/address.ts';
import type { Action } from '../../parts/action-type.ts';
import { givenNumber, givenText, textOf } from '../../parts/fields.tsx';

/** `stripePriceId`: it is known already, as of something in quarantine. */
export const createPrice = ({
  projectId,
  stripePriceId,
}: {
  projectId: string;
  stripePriceId?: string;
}): Action => ({
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
      initial: stripePriceId ?? '',
    },
    { kind: 'text', name: 'product_id', label: 'Sold as the product', isRequired: true },
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

export const movePrice = (price: PriceOut): Action => ({
  label: 'Move',
  title: `Sell ${price.price_id} as another product`,
  words: 'Whoever bought the price has what the other product gives, at once.',
  least: 'admin',
  isTried: true,
  fields: [
    {
      kind: 'text',
      name: 'product_id',
      label: 'Sold as the product',
      isRequired: true,
      initial: price.product_id,
    },
  ],
  request: (values) => ({
    method: 'PATCH',
    path: ofPrice(price),
    body: { product_id: textOf(values, 'product_id') },
  }),
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
