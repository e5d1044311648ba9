import { emit } from '../events/emit.ts';
import type { Subscription } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { holdChange, isPaidAtOnce } from './hold-change.ts';
import { billItems, restartPeriods } from './renew.ts';
import { withItems } from './subscription-changes.ts';

/**
 * Resumes a subscription that its trial's end has paused, with a new period from now. Where its invoice can't be paid at once,
 * it stays paused until someone pays it: https://docs.stripe.com/api/subscriptions/resume.
 */
export function resumePaused(world: World, subscription: Subscription): void {
  const now = world.clock.now();
  const items = restartPeriods(subscription.items.data, now);
  const patch: Partial<Subscription> = { status: 'active', billing_cycle_anchor: now };
  const resume = (): void =>
    billItems(world, subscription, { items, reason: 'subscription_update', patch });
  if (!isPaidAtOnce(world, subscription, resume)) {
    const change = { ...withItems(subscription, items), ...patch };
    holdChange(world, subscription, { kind: 'resumption', change, billed: items });
    return;
  }
  resume();
  emit(world, 'customer.subscription.resumed', world.tables.subscriptions.require(subscription.id));
}
