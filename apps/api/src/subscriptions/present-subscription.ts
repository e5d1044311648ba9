import { toTimestamp, toTimestampOrNull } from '@billing/domain';
import type { SubscriptionOut } from '@billing/domain';
import type { ProjectSubscription, PricedItem } from '@billing/store';

const presentPriced = (item: PricedItem) => ({
  price_id: item.priceId,
  stripe_price_id: item.stripePriceId,
  product_id: item.productId,
  quantity: item.quantity,
});

const keyOf = (items: readonly PricedItem[]): string =>
  items
    .map((one) => JSON.stringify([one.stripePriceId, one.quantity]))
    .sort()
    .join();

/** Null also where the change was made already, or concerns another project's items alone. */
function presentChange({ items, pendingChange }: ProjectSubscription): SubscriptionOut['pending_change'] {
  if (pendingChange === null || keyOf(items) === keyOf(pendingChange.items)) return null;
  return {
    effective_at: toTimestamp(pendingChange.effectiveAt),
    items: pendingChange.items.map(presentPriced),
  };
}

function presentPause({
  collectionPaused,
  pauseBehavior,
  pauseResumesAt,
}: ProjectSubscription): SubscriptionOut['pause_collection'] {
  if (!collectionPaused) return null;
  return { behavior: pauseBehavior, resumes_at: toTimestampOrNull(pauseResumesAt) };
}

function presentPayment({ pendingPayment }: ProjectSubscription): SubscriptionOut['pending_payment'] {
  if (pendingPayment === null) return null;
  const { invoiceUrl, expiresAt } = pendingPayment;
  return { hosted_invoice_url: invoiceUrl, expires_at: toTimestampOrNull(expiresAt) };
}

/** A subscription in the shape of its answers. */
export const presentSubscription = (subscription: ProjectSubscription): SubscriptionOut => ({
  subscription_id: subscription.subscriptionId,
  user_id: subscription.userId,
  status: subscription.status,
  items: subscription.items.map((item) => ({
    item_id: item.itemId,
    ...presentPriced(item),
    current_period_start: toTimestampOrNull(item.currentPeriodStart),
    current_period_end: toTimestampOrNull(item.currentPeriodEnd),
  })),
  cancel_at: toTimestampOrNull(subscription.cancelAt),
  cancel_at_period_end: subscription.cancelAtPeriodEnd,
  ended_at: toTimestampOrNull(subscription.endedAt),
  trial_end: toTimestampOrNull(subscription.trialEnd),
  pause_collection: presentPause(subscription),
  pending_change: presentChange(subscription),
  pending_payment: presentPayment(subscription),
  is_duplicate: subscription.isDuplicate,
  confirmed: subscription.confirmed,
  created: toTimestamp(subscription.created),
});

export const subscriptionExample: SubscriptionOut = {
  subscription_id: 'sub_123',
  user_id: 'user_1',
  status: 'active',
  items: [
    {
      item_id: 'si_123',
      price_id: 'premium_monthly',
      stripe_price_id: 'price_123',
      product_id: 'premium',
      quantity: 1,
      current_period_start: '2026-11-01T00:00:00.000Z',
      current_period_end: '2026-12-01T00:00:00.000Z',
    },
  ],
  cancel_at: null,
  cancel_at_period_end: false,
  ended_at: null,
  trial_end: null,
  pause_collection: null,
  pending_change: null,
  pending_payment: null,
  is_duplicate: false,
  confirmed: true,
  created: '2026-11-01T00:00:00.000Z',
};
