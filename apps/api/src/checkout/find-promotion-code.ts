import { ServiceError } from '@billing/domain';
import type { AppDeps } from '../deps.ts';
import { callStripe, stripeErrorOf } from './call-stripe.ts';
import type { StripeBudget } from './call-stripe.ts';
import type { PreparedSale } from './prepare-sale.ts';
import { promotionCode, promotionCodes } from './stripe-answers.ts';

type Deps = Pick<AppDeps, 'stripe' | 'logger'>;
type Asked = { code: string; customer: string | null };

/** Ids of Stripe have an underscore, which codes may not have. */
const isStripeId = (code: string): boolean => code.startsWith('promo_');

/** Stripe's id of an active code that the customer may use; null: there is none. */
async function findActive(
  deps: Deps,
  { code, customer }: Asked,
  budget: StripeBudget,
): Promise<string | null> {
  const { stripe } = deps;
  if (isStripeId(code)) {
    const found = await callStripe({ ...deps, budget }, promotionCode, (options) =>
      stripe.promotionCodes.retrieve(code, {}, options),
    ).catch((error: unknown) => {
      if (stripeErrorOf(error)?.statusCode === 404) return null;
      throw error;
    });
    return found?.active === true ? found.id : null;
  }
  // One text may be a code of several customers, each for itself.
  const { data } = await callStripe({ ...deps, budget }, promotionCodes, (options) =>
    stripe.promotionCodes.list({ code, active: true, limit: 100 }, options),
  );
  const own = data.find((one) => customer !== null && one.customer === customer);
  const found = own ?? data.find((one) => (one.customer ?? null) === null);
  return found?.id ?? null;
}

/**
 * Stripe's id of the code that a sale redeems; null: none. Throws `promotion_code_not_found` for one that the request
 * names; a project's default that is gone must not stop all its sales.
 */
export async function findPromotionCode(
  deps: Deps,
  { checkout, user }: PreparedSale,
  budget: StripeBudget,
): Promise<string | null> {
  const code = checkout.options.promotion_code;
  if (code === undefined) return null;
  const found = await findActive(deps, { code, customer: user.stripeCustomerId }, budget);
  if (found !== null) return found;
  if (!checkout.isDefaultCode)
    throw new ServiceError(
      'promotion_code_not_found',
      "Use an active promotion code of your Stripe account, or Stripe's id of one.",
      { errors: [{ path: 'promotion_code', message: 'is no active promotion code' }] },
    );
  deps.logger.warn('default_promotion_code_not_found', { promotion_code: code });
  return null;
}
