import type { AppDeps } from '../deps.ts';
import type { StripeBudget } from './call-stripe.ts';
import { createSession } from './create-session.ts';
import { leavesOutDefault } from './find-promotion-code.ts';
import { requestHashOf } from './open-once.ts';
import type { MadeSession } from './open-once.ts';
import type { CheckoutOrder, PreparedSale } from './prepare-sale.ts';
import { isOfCode } from './sale-refusals.ts';
import { sessionParams } from './session-params.ts';
import type { SessionParams } from './session-params.ts';
import { refusalOf } from './stripe-refusals.ts';

/** A sale that is ready to be asked of Stripe. `promotionCode`: Stripe's id; null: none is redeemed. */
export type ReadySale = { order: CheckoutOrder; sale: PreparedSale; promotionCode: string | null };

type Deps = Pick<AppDeps, 'stripe' | 'logger' | 'clock' | 'metrics'>;

const paramsFor = ({ clock }: Pick<AppDeps, 'clock'>, ready: ReadySale, customer: string): SessionParams =>
  sessionParams({ ...ready, customer, now: clock() });

const hashOf = ({ order, sale }: ReadySale, params: SessionParams): string =>
  requestHashOf(params, {
    email: order.request.email,
    expiresInSeconds: sale.checkout.options.expires_in_seconds,
  });

/** What tells the sale from another one of the same buyer. */
export const hashOfSale = (deps: Pick<AppDeps, 'clock'>, ready: ReadySale, customer: string): string =>
  hashOf(ready, paramsFor(deps, ready, customer));

/**
 * Makes the session for a customer. Where Stripe refuses the project's default code to this buyer (it was used up, is for a
 * first purchase, or for a larger one), it is sold without: nobody asked for the code. The page still counts as that of
 * the request with it, so that an equal request leads there.
 */
export async function createForBuyer(
  deps: Deps,
  { ready, customer }: { ready: ReadySale; customer: string },
  budget: StripeBudget,
): Promise<MadeSession> {
  const { order, sale, promotionCode } = ready;
  const params = paramsFor(deps, ready, customer);
  const requestHash = hashOf(ready, params);
  const create = (sent: SessionParams) =>
    createSession(deps, { oneTry: order.oneTry, params: sent, requestHash }, budget);
  try {
    return { session: await create(params), requestHash };
  } catch (error) {
    const refusal = refusalOf(error);
    const isOfDefault = promotionCode !== null && sale.checkout.isDefaultCode;
    if (!isOfDefault || refusal === null || !isOfCode(refusal)) throw error;
    if (!leavesOutDefault(deps, error, sale.checkout.options.promotion_code)) throw error;
    return {
      session: await create(paramsFor(deps, { ...ready, promotionCode: null }, customer)),
      requestHash,
    };
  }
}
