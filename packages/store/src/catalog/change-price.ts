import { ServiceError } from '@billing/domain';
import type { Instant, PriceTerms } from '@billing/domain';
import { writeAudit } from '../audit.ts';
import type { Actor } from '../audit.ts';
import { changeProject, isSame } from '../change-user.ts';
import type { Changed } from '../change-user.ts';
import type { Database, Queries } from '../create-database.ts';
import { given } from '../given.ts';
import { checkColumns, detailsOf, getPrice, termsOf } from './prices.ts';
import type { Price, PriceCheck, PriceKey } from './prices.ts';
import { getProduct } from './products.ts';

export type PriceChanges = {
  productId?: string | undefined;
  isArchived?: boolean | undefined;
  /** All terms, as they were read (`seen`) and shall be, and what Stripe says of them. */
  terms?: { seen: PriceTerms; wanted: PriceTerms; check: PriceCheck } | undefined;
};

/**
 * Changes a price. Whatever it changes makes every cached answer of the project old; only another product changes
 * entitlements. Throws `project_not_found`, `price_not_found`, `product_not_found`; `invalid_request` where a price
 * whose purchases end would no longer be paid once.
 */
export async function patchPrice(
  database: Database,
  { key, changes, now, actor }: { key: PriceKey; changes: PriceChanges; now: Instant; actor: Actor },
): Promise<Changed<Price>> {
  const { productId, isArchived, terms } = changes;
  return changeProject(database, key.projectId, async (tx) => {
    const before = await getPrice(tx, key);
    if (productId !== undefined) await getProduct(tx, { projectId: key.projectId, productId });
    if (terms !== undefined && before.accessDays !== null && terms.wanted.interval !== 'one_time')
      throw new ServiceError('invalid_request', 'Keep a price with access_days a one_time price.', {
        errors: [{ path: 'interval', message: 'must be one_time, as the price has access_days' }],
      });
    // Who changed it meanwhile had another answer of Stripe's: it is asked again.
    const check = terms !== undefined && isSame(terms.seen, termsOf(before)) ? terms.check : 'unknown';
    const corrected = terms === undefined ? {} : { ...terms.wanted, ...checkColumns(check, now) };
    const result = await tx.price.update({
      where: { projectId_priceId: key },
      data: { productId: given(productId), isArchived: given(isArchived), ...corrected },
    });
    await writeAudit(tx, {
      actor,
      action: 'price.update',
      projectId: key.projectId,
      target: { type: 'price', id: key.priceId },
      change: { before: summary(before), after: summary(result) },
    });
    const { stripePriceId } = result;
    if (isSame(summary(before), summary(result))) return { result, changed: null };
    return { result, changed: result.productId === before.productId ? 'nobody' : { stripePriceId } };
  });
}

const summary = (price: Price) => ({
  ...detailsOf({ ...price, ...termsOf(price) }),
  is_archived: price.isArchived,
});

/** Whether a subscription or a purchase has a price, or a subscription that goes on gets it by its schedule. */
async function isUsed(tx: Queries, stripePriceId: string): Promise<boolean> {
  const planned = JSON.stringify({ changes: [{ items: [{ stripePriceId }] }] });
  const [row] = await tx.$queryRaw<{ isUsed: boolean }[]>`
    SELECT EXISTS (SELECT FROM public.subscription_items WHERE stripe_price_id = ${stripePriceId})
      OR EXISTS (SELECT FROM public.purchase_items WHERE stripe_price_id = ${stripePriceId})
      OR EXISTS (SELECT FROM public.subscriptions
        WHERE schedule @> ${planned}::jsonb AND status NOT IN ('canceled', 'incomplete_expired')) AS "isUsed"`;
  return row?.isUsed === true;
}

/**
 * Deletes a price that no subscription and no purchase has, now or by what is planned. Throws `project_not_found`, `price_not_found`,
 * `price_in_use`.
 */
export async function deletePrice(
  database: Database,
  { key, actor }: { key: PriceKey; actor: Actor },
): Promise<void> {
  await changeProject(database, key.projectId, async (tx) => {
    const price = await getPrice(tx, key);
    const { stripePriceId } = price;
    if (await isUsed(tx, stripePriceId))
      throw new ServiceError(
        'price_in_use',
        'Archive the price instead: subscriptions or purchases have it, or will have it (is_archived: true).',
      );
    await tx.price.delete({ where: { projectId_priceId: key } });
    await writeAudit(tx, {
      actor,
      action: 'price.delete',
      projectId: key.projectId,
      target: { type: 'price', id: key.priceId },
      change: { before: summary(price), after: null },
    });
    return { result: undefined, changed: 'nobody' };
  });
}
