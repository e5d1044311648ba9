import { isLiveStatus, ServiceError } from '@billing/domain';
import type { ErrorCode, SubscriptionStatus } from '@billing/domain';
import { readSubscription } from '@billing/store';
import type { ProjectSubscription } from '@billing/store';
import type { AppDeps } from '../deps.ts';

export type SubscriptionKey = { projectId: string; subscriptionId: string };

/** A subscription of the project. Throws `subscription_not_found`. */
export async function findSubscription(
  { database }: Pick<AppDeps, 'database'>,
  key: SubscriptionKey,
): Promise<ProjectSubscription> {
  const found = await readSubscription(database, key);
  if (found !== null) return found;
  throw new ServiceError(
    'subscription_not_found',
    "Use a subscription_id that this project's GET /api/v1/subscriptions shows.",
  );
}

/** Throws `shared_subscription` where another project has items in it. */
export function refuseShared({ isShared }: ProjectSubscription): void {
  if (!isShared) return;
  throw new ServiceError(
    'shared_subscription',
    'The subscription also pays for another project: take out the items of this one by changing it.',
  );
}

/** Throws `code` where the subscription never began or has ended, which nothing but a new sale changes. */
export function requireLive({ status }: { status: SubscriptionStatus }, code: ErrorCode): void {
  if (isLiveStatus(status)) return;
  throw new ServiceError(code, `Sell a new subscription: this one is ${status}.`);
}
