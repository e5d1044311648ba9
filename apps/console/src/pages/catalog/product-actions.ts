import type { FeatureOut, ProductOut } from '@billing/domain';
import { pathOf } from '../../api/address.ts';
import type { Action } from '../../parts/action-type.ts';
import { givenNumber, isOn, textOf } from '../../parts/values.ts';
import type { Field, Values } from '../../parts/values.ts';
import { featuresForm } from './product-features.ts';
import type { FeaturesForm } from './product-features.ts';

const kinds = [
  { value: 'single', label: 'On its own: users may have it beside others' },
  { value: 'plan', label: 'A plan: it excludes the others of its group' },
];
const ofPlan = { isShown: (values: Values): boolean => textOf(values, 'kind') === 'plan' };
const number = (value: number | null | undefined): string => (value ?? '').toString();

/** The fields of a product, as it is now. */
const fieldsOf = (features: FeaturesForm, product?: ProductOut): Field[] => [
  { kind: 'text', name: 'name', label: 'Name', isRequired: true, initial: product?.name ?? '' },
  { kind: 'area', name: 'description', label: 'Description', initial: product?.description ?? '' },
  features.field,
  {
    kind: 'select',
    name: 'kind',
    label: 'Kind',
    options: kinds,
    initial: (product?.group ?? null) === null ? 'single' : 'plan',
  },
  {
    kind: 'text',
    name: 'group',
    label: 'Group',
    description: 'Its plans exclude each other: a user has one of them.',
    isRequired: true,
    initial: product?.group ?? '',
    ...ofPlan,
  },
  {
    kind: 'number',
    name: 'rank',
    label: 'Rank',
    description: 'Within the group: higher is dearer.',
    initial: number(product?.rank),
    ...ofPlan,
  },
  {
    kind: 'switch',
    name: 'is_default',
    label: 'Default',
    description: (values) =>
      textOf(values, 'kind') === 'plan'
        ? 'Everybody has it while nothing else of the group is in force.'
        : 'Everybody has it who did not buy it.',
    initial: product?.is_default ?? false,
  },
  {
    kind: 'number',
    name: 'max_trials_per_user',
    label: 'Trials a user may have',
    description: 'Empty: any number.',
    initial: number(product?.max_trials_per_user),
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
    initial: number(product?.access_days),
  },
];

function bodyOf(values: Values, features: FeaturesForm): object {
  const isPlan = textOf(values, 'kind') === 'plan';
  return {
    name: textOf(values, 'name'),
    description: textOf(values, 'description') || null,
    // All of them are in `features`, in the order of the form.
    feature_codes: [],
    features: features.read(values),
    group: isPlan ? textOf(values, 'group') : null,
    rank: isPlan ? (givenNumber(values, 'rank') ?? null) : null,
    is_default: isOn(values, 'is_default'),
    max_trials_per_user: givenNumber(values, 'max_trials_per_user') ?? null,
    stripe_product_id: textOf(values, 'stripe_product_id') || null,
    access_days: givenNumber(values, 'access_days') ?? null,
  };
}

/** `described`: the features of the project. */
export function createProduct(projectId: string, described: readonly FeatureOut[]): Action {
  const features = featuresForm(described);
  return {
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
      ...fieldsOf(features),
    ],
    request: (values) => ({
      method: 'POST',
      path: pathOf`/api/v1/admin/projects/${projectId}/products`,
      body: { product_id: textOf(values, 'product_id'), ...bodyOf(values, features) },
    }),
  };
}

const ofProduct = ({ project_id: projectId, product_id: id }: ProductOut): string =>
  pathOf`/api/v1/admin/projects/${projectId}/products/${id}`;

export function changeProduct(product: ProductOut, described: readonly FeatureOut[]): Action {
  const features = featuresForm(described, product);
  return {
    label: 'Change',
    title: `Change ${product.product_id}`,
    words: 'Whoever has the product has what it gives from then on, at once.',
    least: 'admin',
    isTried: true,
    fields: fieldsOf(features, product),
    request: (values) => ({ method: 'PATCH', path: ofProduct(product), body: bodyOf(values, features) }),
  };
}

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
