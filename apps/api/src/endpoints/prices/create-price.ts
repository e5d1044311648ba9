import { createPriceRequest, ServiceError } from '@billing/domain';
import { createPrice as createRow, getProduct, getProject, refuseTakenPrice } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { publishChange } from '../publish-change.ts';
import { checkPrice } from './check-price.ts';
import { presentPrice, priceAnswer } from './price.ts';

export const createPrice = defineEndpoint({
  method: 'post',
  path: '/api/v1/admin/projects/{project_id}/prices',
  operationId: 'createPrice',
  tag: 'Catalog',
  summary: 'Map a Stripe price',
  description:
    'The price is read from Stripe: fields that are left out are as Stripe has them, fields that contradict it are ' +
    'refused. While Stripe cannot be asked, or where it has no such price, `amount`, `currency` and `interval` are ' +
    'required, and `verified_at` is null until Stripe is seen to have the same. Releases events that were quarantined ' +
    'because the price was not known.',
  access: { admin: 'admin' },
  takesDryRun: true,
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
  errors: [
    'project_not_found',
    'product_not_found',
    'price_exists',
    'price_differs_from_stripe',
    'stripe_error',
    'stripe_unavailable',
  ],
  handle: async (deps, { params: { project_id: projectId }, body, actor }) => {
    const { product_id: productId, stripe_price_id: stripePriceId, access_days: accessDays = null } = body;
    await getProject(deps.database, projectId);
    await getProduct(deps.database, { projectId, productId });
    const priceId = body.price_id ?? stripePriceId;
    await refuseTakenPrice(deps.database, { projectId, priceId, stripePriceId });
    const { amount, currency, interval, interval_count: intervalCount, usage_type: usageType } = body;
    const given = { amount, currency, interval, intervalCount, usageType };
    const { terms, check } = await checkPrice(deps, { stripePriceId, given });
    if (accessDays !== null && terms.interval !== 'one_time')
      throw new ServiceError('invalid_request', 'Leave access_days out: Stripe has a recurring price.', {
        errors: [{ path: 'access_days', message: 'is for one_time prices only' }],
      });
    const price = { priceId, productId, stripePriceId, accessDays, ...terms };
    const created = await createRow(deps.database, { projectId, price, check, now: deps.clock(), actor });
    return { body: presentPrice(await publishChange(deps, created)) };
  },
});
