import { ServiceError } from '@billing/domain';
import type { z } from 'zod';
import type { AppDeps } from '../deps.ts';
import { callStripe, stripeErrorOf } from './call-stripe.ts';
import type { StripeBudget } from './call-stripe.ts';
import type { PreparedSale } from './prepare-sale.ts';
import { promotionCode, promotionCodes } from './stripe-answers.ts';

type Deps = Pick<AppDeps, 'stripe' | 'logger'> & { metrics: Pick<AppDeps['metrics'], 'defaultCodesLeftOut'> };
type Asked = { code: string; customer: string | null };

/** Ids of Stripe have an underscore, which codes may not have. */
const isStripeId = (code: string): boolean => code.startsWith('promo_');

const notFound = (): ServiceError =>
  new ServiceError(
    'promotion_code_not_found',
    "Use an active promotion code of your Stripe account, or Stripe's id of one.",
    { errors: [{ path: 'promotion_code', message: 'is no active promotion code' }] },
  );

const notTheirs = (): ServiceError =>
  new ServiceError('promotion_code_not_redeemable', 'Sell without the code, or offer another one.', {
    errors: [{ path: 'promotion_code', message: 'is for another customer' }],
  });

type Found = z.output<typeof promotionCode>;

/** The active codes that a text or an id means: one text may be a code of several customers, each for itself. */
async function readActive(deps: Deps, code: string, budget: StripeBudget): Promise<Found[]> {
  const { stripe } = deps;
  if (!isStripeId(code)) {
    const { data } = await callStripe({ ...deps, budget }, promotionCodes, (options) =>
      stripe.promotionCodes.list({ code, active: true, limit: 100 }, options),
    );
    return data;
  }
  const found = await callStripe({ ...deps, budget }, promotionCode, (options) =>
    stripe.promotionCodes.retrieve(code, {}, options),
  ).catch((error: unknown) => {
    if (stripeErrorOf(error)?.statusCode === 404) return null;
    throw error;
  });
  return found?.active === true ? [found] : [];
}

/** Throws `promotion_code_not_found`, and `promotion_code_not_redeemable` for one that is of other customers alone. */
async function findUsable(deps: Deps, { code, customer }: Asked, budget: StripeBudget): Promise<string> {
  const active = await readActive(deps, code, budget);
  const own = active.find((one) => customer !== null && one.customer === customer);
  const found = own ?? active.find((one) => (one.customer ?? null) === null);
  if (found !== undefined) return found.id;
  throw active.length === 0 ? notFound() : notTheirs();
}

/** Whether a sale goes on without its project's default code: whatever is wrong with that code, the buyer did not ask for it. */
export function leavesOutDefault(
  { logger, metrics }: Deps,
  error: unknown,
  code: string | undefined,
): boolean {
  if (!(error instanceof ServiceError) || error.code === 'stripe_unavailable') return false;
  const reason = error.code === 'promotion_code_not_found' ? 'not_found' : 'refused';
  metrics.defaultCodesLeftOut.inc({ reason });
  logger.warn('default_promotion_code_left_out', { promotion_code: code, reason });
  return true;
}

/**
 * Stripe's id of the code that a sale redeems; null: none. Throws `promotion_code_not_found` and `promotion_code_not_redeemable`
 * for one that the request names; a project's default must not stop its sales.
 */
export async function findPromotionCode(
  deps: Deps,
  { checkout, user }: PreparedSale,
  budget: StripeBudget,
): Promise<string | null> {
  const code = checkout.options.promotion_code;
  if (code === undefined) return null;
  try {
    return await findUsable(deps, { code, customer: user.stripeCustomerId }, budget);
  } catch (error) {
    if (checkout.isDefaultCode && leavesOutDefault(deps, error, code)) return null;
    throw error;
  }
}
