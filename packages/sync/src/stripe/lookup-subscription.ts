import { subscriptionSnapshot } from '@billing/domain';
import type { Instant, StripeLookup, SubscriptionSnapshot } from '@billing/domain';
import type { Stripe } from 'stripe';
import type { AskDeps, SyncDeps } from '../deps.ts';
import { askStripe } from './ask-stripe.ts';

/** More items than any subscription has; a bound all the same. */
const maxItems = 500;

/** By the clock that events are `created` by, unless the subscription has one of its own. */
function answeredAtOf({
  lastResponse,
  test_clock: clock,
}: Stripe.Response<Stripe.Subscription>): Instant | null {
  const at = Date.parse(lastResponse.headers['date'] ?? '');
  return clock === null && Number.isFinite(at) ? at : null;
}

/** Looks a subscription up as Stripe has it now, with all its items and what its coupons take off. */
export function lookupSubscription(
  deps: AskDeps & Pick<SyncDeps, 'stripe' | 'subscriptionLookups'>,
  id: string,
): Promise<StripeLookup<SubscriptionSnapshot>> {
  return deps.subscriptionLookups(id, (sent) =>
    askStripe(deps, 'subscription', async () => {
      sent();
      const rendered = await deps.stripe.subscriptions.retrieve(id, {
        expand: ['latest_invoice', 'schedule', 'discounts.source.coupon'],
      });
      const parsed = subscriptionSnapshot.parse(rendered);
      const answeredAt = answeredAtOf(rendered);
      const snapshot = { ...parsed, answeredAt };
      if (snapshot.id !== id) throw new Error('Stripe answered with another subscription.');
      const hasItemCoupons = rendered.items.data.some((item) => item.discounts?.length > 0);
      if ((snapshot.areItemsComplete || !rendered.items.has_more) && !hasItemCoupons) return snapshot;
      const all = await deps.stripe.subscriptionItems
        .list({ subscription: id, limit: 100, expand: ['data.discounts.source.coupon'] })
        .autoPagingToArray({ limit: maxItems });
      const whole = subscriptionSnapshot.parse({ ...rendered, items: { data: all, has_more: false } });
      return { ...whole, answeredAt };
    }),
  );
}
