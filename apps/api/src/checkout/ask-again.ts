import type { AppDeps } from '../deps.ts';
import type { StripeBudget } from './call-stripe.ts';
import { sendSession } from './create-session.ts';
import { readSession } from './end-session.ts';
import { requestHashOf } from './open-once.ts';
import type { MadeSession } from './open-once.ts';
import type { CheckoutOrder } from './prepare-sale.ts';
import { refusalOf } from './stripe-refusals.ts';

/**
 * What an earlier try asked for, with the same key and parameters: Stripe answers with the session that it may have made.
 * Null: there was no such try, or no page of it is open: Stripe refuses the request by now (the customer was deleted, a moment has
 * come too near), or a later request has ended the page.
 */
export async function askAgain(
  deps: Pick<AppDeps, 'stripe' | 'logger'>,
  { request, oneTry: { unanswered } }: CheckoutOrder,
  budget: StripeBudget,
): Promise<MadeSession | null> {
  if (unanswered === null) return null;
  try {
    const session = await sendSession(deps, unanswered, budget);
    const requestHash = unanswered.requestHash ?? requestHashOf(unanswered.params);
    if (request.mode === 'payment') return { session, requestHash };
    const { kind } = await readSession(deps, session.id, budget);
    return kind === 'over' ? null : { session, requestHash };
  } catch (error) {
    if (refusalOf(error) !== null) return null;
    throw error;
  }
}
