import type { EraseResult } from '@billing/domain';
import { findUnusedCustomers } from '@billing/store';
import type { MaintenanceDeps } from '../deps.ts';
import { pauseInOutageMs } from '../outages.ts';
import type { Step } from '../run-worker.ts';
import { askStripe } from '../stripe/ask-stripe.ts';
import { inBackground } from '../stripe/read-budget.ts';

type Done = Extract<Step<never, EraseResult>, { kind: 'done' | 'later' | 'failed' }>;

/**
 * Deletes the user's customers at Stripe, within the budget of calls; Stripe ends what they still pay. One that somebody else is
 * mapped to by now, or that pays for a subscription here, stays. To delete one again does no harm.
 */
export async function deleteAtStripe(
  deps: MaintenanceDeps,
  { stripeCustomerIds }: { stripeCustomerIds: readonly string[] },
  result: EraseResult,
): Promise<Done> {
  const unused = await findUnusedCustomers(deps.database, stripeCustomerIds);
  for (const id of unused) {
    const answer = await askStripe(inBackground(deps), 'customer', () => deps.stripe.customers.del(id));
    if (answer.kind !== 'unreachable') continue;
    if (answer.isRefused === true)
      return { kind: 'failed', why: 'Stripe refuses to delete a customer: the key needs the permission' };
    return { kind: 'later', pauseMs: pauseInOutageMs(3), why: 'Stripe cannot be reached' };
  }
  return {
    kind: 'done',
    result: {
      ...result,
      customers_deleted_at_stripe: unused.length,
      customers_left_at_stripe: stripeCustomerIds.filter((id) => !unused.includes(id)),
    },
  };
}
