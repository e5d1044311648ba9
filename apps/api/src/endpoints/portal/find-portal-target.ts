import { ServiceError } from '@billing/domain';
import type { PortalRequest } from '@billing/domain';
import { findPortalCustomer, findPortalSubscriptions } from '@billing/store';
import type { Database, UserKey } from '@billing/store';

/** Whose portal is opened; `subscription`: what a flow is about. */
export type PortalTarget = { customer: string | null; subscription: string | null };

/**
 * The Stripe customer whose portal a request means, null: the user has none. Throws `subscription_not_found` where the
 * subscription is not the user's, `invalid_request` where a flow needs one and the user has none or several that live.
 */
export async function findPortalTarget(
  database: Database,
  { subscription_id: asked, flow, ...key }: UserKey & Pick<PortalRequest, 'subscription_id' | 'flow'>,
): Promise<PortalTarget> {
  const needsOne = flow === 'subscription_cancel' || flow === 'subscription_update';
  if (asked === undefined && !needsOne)
    return { customer: await findPortalCustomer(database, key), subscription: null };
  const subscriptions = await findPortalSubscriptions(database, key);
  if (asked !== undefined) {
    const found = subscriptions.find(({ id }) => id === asked);
    if (found === undefined) throw subscriptionNotFound();
    return { customer: found.customerId, subscription: found.id };
  }
  const live = subscriptions.filter(({ isLive }) => isLive);
  const [only] = live;
  if (only !== undefined && live.length === 1) return { customer: only.customerId, subscription: only.id };
  // Without any customer the user never bought anything, which is the better answer.
  const customer = await findPortalCustomer(database, key);
  if (customer === null) return { customer, subscription: null };
  throw severalOrNone(live.length);
}

const subscriptionNotFound = (): ServiceError =>
  new ServiceError(
    'subscription_not_found',
    "Use a subscription of this user's, as the explanation of entitlements lists them.",
  );

const severalOrNone = (count: number): ServiceError =>
  count === 0
    ? new ServiceError('invalid_request', 'Offer this flow to users who have a live subscription.', {
        errors: [{ path: 'subscription_id', message: 'is required, as the user has no live subscription' }],
      })
    : new ServiceError('invalid_request', 'Name the subscription that the flow is about.', {
        errors: [
          { path: 'subscription_id', message: `is required, as the user has ${count} live subscriptions` },
        ],
      });
