import { patchPriceRequest } from '@billing/domain';
import type { PatchPriceRequest } from '@billing/domain';
import { getPrice, getProject, patchPrice as patchRow, termsOf } from '@billing/store';
import type { PriceChanges, PriceKey } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import type { AppDeps } from '../../deps.ts';
import { publishChange } from '../publish-change.ts';
import { checkCorrection } from './check-price.ts';
import { presentPrice, priceAnswer } from './price.ts';

export const patchPrice = defineEndpoint({
  method: 'patch',
  path: '/api/v1/admin/projects/{project_id}/prices/{price_id}',
  operationId: 'patchPrice',
  tag: 'Catalog',
  summary: 'Correct, move or archive a price',
  description:
    'Corrected fields are compared with Stripe as for a new price. Moved to another product, the price grants that ' +
    "product's features from now on, also to those who have it.",
  access: { admin: 'admin' },
  takesDryRun: true,
  body: { schema: patchPriceRequest, example: { is_archived: true } },
  answers: [{ status: 200, ...priceAnswer }],
  errors: ['project_not_found', 'product_not_found', 'price_not_found', 'price_differs_from_stripe'],
  handle: async (deps, { params, body, actor }) => {
    const key = { projectId: params.project_id, priceId: params.price_id };
    const terms = await correctedTerms(deps, key, body);
    const changes = { productId: body.product_id, isArchived: body.is_archived, terms };
    const changed = await patchRow(deps.database, { key, changes, now: deps.clock(), actor });
    return { body: presentPrice(await publishChange(deps, changed)) };
  },
});

/** Undefined: the request corrects none of the fields that Stripe knows. */
async function correctedTerms(
  deps: AppDeps,
  key: PriceKey,
  { amount, currency, interval, interval_count: intervalCount, usage_type: usageType }: PatchPriceRequest,
): Promise<PriceChanges['terms']> {
  const given = { amount, currency, interval, intervalCount, usageType };
  if (Object.values(given).every((value) => value === undefined)) return undefined;
  await getProject(deps.database, key.projectId);
  const price = await getPrice(deps.database, key);
  const seen = termsOf(price);
  const { stripePriceId } = price;
  const { terms: wanted, check } = await checkCorrection(deps, { stripePriceId, seen, given });
  return { seen, wanted, check };
}
