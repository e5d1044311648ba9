import type { AppDeps } from '../deps.ts';
import { isMissingCustomer, stripeErrorOf } from './call-stripe.ts';
import type { StripeBudget } from './call-stripe.ts';
import { sendSession } from './create-session.ts';
import { readSession } from './end-session.ts';
import { requestHashOf } from './open-once.ts';
import type { MadeSession } from './open-once.ts';
import type { CheckoutOrder } from './prepare-sale.ts';

/** The moments that were asked for have come too near since. */
const isTooOld = (error: unknown): boolean =>
  ['expires_at', 'subscription_data[trial_end]'].includes(stripeErrorOf(error)?.param ?? '');

/**
 * What an earlier try asked for, with the same key and parameters: Stripe answers with the session that it may have made.
 * Null: there was no such try, or no page of it is open: the customer was deleted, Stripe refuses the request by now, or a
 * later request has ended the page.
 */
export async function askAgain(
  deps: Pick<AppDeps, 'stripe' | 'logger'>,
  { request, oneTry: { unanswered } }: CheckoutOrder,
  budget: StripeBudget,
): Promise<MadeSession | null> {
  if (unanswered === null) return null;
  try {
    const session = await sendSession(deps, unanswered, budget);
    const requestHash = requestHashOf(unanswered.params);
    if (request.mode === 'payment') return { session, requestHash };
    const { kind } = await readSession(deps, session.id, budget);
    return kind === 'over' ? null : { session, requestHash };
  } catch (error) {
    if (isMissingCustomer(error) || isTooOld(error)) return null;
    throw error;
  }
}
