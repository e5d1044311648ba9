import {
  createPriceRequest,
  createProductRequest,
  customerOut,
  mapCustomerRequest,
  pageQuery,
  patchPriceRequest,
  patchProductRequest,
  priceList,
  priceOut,
  productList,
  productOut,
} from '@billing/domain';
import type { Endpoint } from '../endpoint.ts';
import { listExample, priceExample, productExample } from './examples.ts';

const base = { tag: 'Catalog', access: 'admin' } as const;
const project = '/api/v1/admin/projects/{project_id}';
const productAnswer = { description: 'The product.', schema: productOut, example: productExample };
const priceAnswer = { description: 'The price.', schema: priceOut, example: priceExample };

const products: readonly Endpoint[] = [
  {
    ...base,
    method: 'get',
    path: `${project}/products`,
    operationId: 'listProducts',
    summary: 'List products',
    query: pageQuery,
    answers: [
      { status: 200, description: 'By id.', schema: productList, example: listExample(productExample) },
    ],
    errors: ['project_not_found'],
  },
  {
    ...base,
    method: 'post',
    path: `${project}/products`,
    operationId: 'createProduct',
    summary: 'Create a product',
    description: 'A product is a set of feature codes; its prices sell them.',
    body: {
      schema: createProductRequest,
      example: { product_id: 'premium', name: 'Premium', feature_codes: ['premium_export'] },
    },
    answers: [{ status: 201, ...productAnswer }],
    errors: ['project_not_found', 'product_exists'],
  },
  {
    ...base,
    method: 'get',
    path: `${project}/products/{product_id}`,
    operationId: 'getProduct',
    summary: 'Show a product',
    answers: [{ status: 200, ...productAnswer }],
    errors: ['project_not_found', 'product_not_found'],
  },
  {
    ...base,
    method: 'patch',
    path: `${project}/products/{product_id}`,
    operationId: 'patchProduct',
    summary: 'Change a product',
    description:
      "New `feature_codes` are in every affected user's next answer. Archived: no new sale; those who have it keep it.",
    body: {
      schema: patchProductRequest,
      example: { feature_codes: ['premium_export', 'api'], is_archived: false },
    },
    answers: [{ status: 200, ...productAnswer }],
    errors: ['project_not_found', 'product_not_found'],
  },
];

const prices: readonly Endpoint[] = [
  {
    ...base,
    method: 'get',
    path: `${project}/prices`,
    operationId: 'listPrices',
    summary: 'List prices',
    query: pageQuery,
    answers: [{ status: 200, description: 'By id.', schema: priceList, example: listExample(priceExample) }],
    errors: ['project_not_found'],
  },
  {
    ...base,
    method: 'post',
    path: `${project}/prices`,
    operationId: 'createPrice',
    summary: 'Map a Stripe price',
    description: 'Heals events that were quarantined because the price was not known.',
    body: {
      schema: createPriceRequest,
      example: {
        price_id: 'premium_monthly',
        product_id: 'premium',
        stripe_price_id: 'price_123',
        amount: 1000,
        currency: 'usd',
        interval: 'month',
      },
    },
    answers: [{ status: 201, ...priceAnswer }],
    errors: ['project_not_found', 'product_not_found', 'price_exists'],
  },
  {
    ...base,
    method: 'get',
    path: `${project}/prices/{price_id}`,
    operationId: 'getPrice',
    summary: 'Show a price',
    answers: [{ status: 200, ...priceAnswer }],
    errors: ['project_not_found', 'price_not_found'],
  },
  {
    ...base,
    method: 'patch',
    path: `${project}/prices/{price_id}`,
    operationId: 'patchPrice',
    summary: 'Archive a price, or sell it again',
    body: { schema: patchPriceRequest, example: { is_archived: true } },
    answers: [{ status: 200, ...priceAnswer }],
    errors: ['project_not_found', 'price_not_found'],
  },
];

export const catalogEndpoints: readonly Endpoint[] = [
  ...products,
  ...prices,
  {
    ...base,
    method: 'post',
    path: `${project}/customers`,
    operationId: 'mapCustomer',
    summary: 'Say whose a Stripe customer is',
    description:
      'Heals events that were quarantined because the customer was not known, with no call to Stripe.',
    body: { schema: mapCustomerRequest, example: { user_id: 'user_1', stripe_customer_id: 'cus_123' } },
    answers: [
      {
        status: 201,
        description: 'Mapped.',
        schema: customerOut,
        example: {
          project_id: 'shop',
          user_id: 'user_1',
          stripe_customer_id: 'cus_123',
          created_at: '2026-11-22T10:00:00.000Z',
          healed: { subscriptions: 1, purchases: 0, events: 3 },
        },
      },
    ],
    errors: ['project_not_found', 'customer_exists'],
  },
];
