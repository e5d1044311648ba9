import type { ProductOut } from '@billing/domain';
import { pathOf } from '../../api/address.ts';
import type { Action } from '../../parts/action-type.ts';
import { givenNumber, isOn, jsonOf, linesOf, textOf } from '../../parts/fields.tsx';
import type { Field, Values } from '../../parts/fields.tsx';

const settingsWords =
  'Limits and allowances, as a list of JSON, such as [{"feature_code": "seats", "limit": 5}]. As in the description of the API (/docs).';

/** The fields of a product, as it is now. */
const fieldsOf = (product?: ProductOut): Field[] => [
  { kind: 'text', name: 'name', label: 'Name', isRequired: true, initial: product?.name ?? '' },
  { kind: 'area', name: 'description', label: 'Description', initial: product?.description ?? '' },
  {
    kind: 'area',
    name: 'feature_codes',
    label: 'Features',
    description: 'Codes, one a line: all that it gives.',
    initial: product?.feature_codes.join('\n') ?? '',
  },
  {
    kind: 'json',
    name: 'features',
    label: 'Settings of features',
    description: settingsWords,
    initial:
      product === undefined || product.features.length === 0 ? '' : JSON.stringify(product.features, null, 2),
  },
  {
    kind: 'text',
    name: 'group',
    label: 'Group',
    description: 'Plans of one group exclude each other. Empty: it excludes none.',
    initial: product?.group ?? '',
  },
  {
    kind: 'number',
    name: 'rank',
    label: 'Rank',
    description: 'Within the group: higher is dearer.',
    initial: product?.rank === null || product === undefined ? '' : String(product.rank),
  },
  {
    kind: 'switch',
    name: 'is_default',
    label: 'Default',
    description: 'Everybody has it while nothing else of the group is in force.',
    initial: product?.is_default ?? false,
  },
  {
    kind: 'number',
    name: 'max_trials_per_user',
    label: 'Trials a user may have',
    description: 'Empty: any number.',
    initial: (product?.max_trials_per_user ?? '').toString(),
  },
  {
    kind: 'text',
    name: 'stripe_product_id',
    label: 'Product of Stripe',
    description: 'All its prices are sold as this product: prod_…. Empty: only mapped prices are.',
    initial: product?.stripe_product_id ?? '',
  },
  {
    kind: 'number',
    name: 'access_days',
    label: 'Days of access',
    description: 'Of one-time prices that are not mapped. Empty: for ever.',
    initial: (product?.access_days ?? '').toString(),
  },
];

const bodyOf = (values: Values): object => {
  const features = jsonOf(values, 'features');
  return {
    name: textOf(values, 'name'),
    description: textOf(values, 'description') || null,
    feature_codes: linesOf(values, 'feature_codes'),
    ...(features === undefined ? {} : { features }),
    group: textOf(values, 'group') || null,
    rank: givenNumber(values, 'rank') ?? null,
    is_default: isOn(values, 'is_default'),
    max_trials_per_user: givenNumber(values, 'max_trials_per_user') ?? null,
    stripe_product_id: textOf(values, 'stripe_product_id') || null,
    access_days: givenNumber(values, 'access_days') ?? null,
  };
};

export const createProduct = (projectId: string): Action => ({
  label: 'New product',
  title: `New product of ${projectId}`,
  words: 'A product gives features to whoever buys one of its prices.',
  least: 'admin',
  isTried: true,
  fields: [
    {
      kind: 'text',
      name: 'product_id',
      label: 'Id',
      description: 'Stays for ever, such as pro.',
      isRequired: true,
    },
    ...fieldsOf(),
  ],
  request: (values) => ({
    method: 'POST',
    path: pathOf`/api/v1/admin/projects/${projectId}/products`,
    body: { product_id: textOf(values, 'product_id'), ...bodyOf(values) },
  }),
});

const ofProduct = ({ project_id: projectId, product_id: id }: ProductOut): string =>
  pathOf`/api/v1/admin/projects/${projectId}/products/${id}`;

export const changeProduct = (product: ProductOut): Action => ({
  label: 'Change',
  title: `Change ${product.product_id}`,
  words: 'Whoever has the product has what it gives from then on, at once.',
  least: 'admin',
  isTried: true,
  fields: fieldsOf(product),
  request: (values) => ({ method: 'PATCH', path: ofProduct(product), body: bodyOf(values) }),
});

export const archiveProduct = (product: ProductOut): Action => {
  const isBack = product.is_archived;
  return {
    label: isBack ? 'Bring back' : 'Archive',
    title: `${isBack ? 'Bring back' : 'Archive'} ${product.product_id}`,
    words: isBack ? 'It is sold again.' : 'It is sold no more. Whoever has it keeps it.',
    least: 'admin',
    isTried: true,
    request: () => ({ method: 'PATCH', path: ofProduct(product), body: { is_archived: !isBack } }),
  };
};
