import { fromStripeSeconds, secondMs, ServiceError, toTimestamp } from '@billing/domain';
import type { PortalRequest, PortalResponse } from '@billing/domain';
import { findPortalCustomer, getProject } from '@billing/store';
import { callStripe, isMissingCustomer, startStripeBudget } from '../checkout/call-stripe.ts';
import { checkRedirects } from '../checkout/check-redirects.ts';
import type { AppDeps } from '../deps.ts';

export type PortalDeps = Pick<AppDeps, 'database' | 'stripe' | 'logger'>;

const stripeMs = 12_500;
/** Stripe names no end; its page should be opened at once. */
const usableMs = 300 * secondMs;

/** Opens Stripe's portal for a user. Throws `customer_not_found`, and what `callStripe` throws. */
export async function createPortalSession(
  deps: PortalDeps,
  projectId: string,
  request: PortalRequest,
): Promise<PortalResponse> {
  const { redirectOrigins } = await getProject(deps.database, projectId);
  checkRedirects(redirectOrigins, { return_url: request.return_url });
  const customer = await findPortalCustomer(deps.database, { projectId, userId: request.user_id });
  if (customer === null) throw customerNotFound();
  const params = { customer, return_url: request.return_url };
  const session = await callStripe({ ...deps, budget: startStripeBudget(stripeMs) }, (options) =>
    deps.stripe.billingPortal.sessions.create(params, options),
  ).catch((error: unknown) => {
    throw isMissingCustomer(error) ? customerNotFound(error) : error;
  });
  return {
    portal_url: session.url,
    expires_at: toTimestamp(fromStripeSeconds(session.created) + usableMs),
  };
}

const customerNotFound = (cause?: unknown): ServiceError =>
  new ServiceError('customer_not_found', 'Offer the portal to users who have bought something.', { cause });
