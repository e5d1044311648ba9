import { emit } from '../events/emit.ts';
import type { Subscription } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { holdChange, isPaidAtOnce } from './hold-change.ts';
import { billItems, restartPeriods } from './renew.ts';
import { withItems } from './subscription-changes.ts';

export type ResumeBehavior = 'resume_on_payment_attempt' | 'resume_on_payment_success';

/**
 * Resumes a subscription that its trial's end has paused, with a new period from now. It stays paused until its invoice is paid
 * (https://docs.stripe.com/api/subscriptions/resume): `resume_on_payment_success` tries the card at once,
 * `resume_on_payment_attempt` leaves the invoice to be paid by a call.
 */
export function resumePaused(world: World, subscription: Subscription, behavior: ResumeBehavior): void {
  const now = world.clock.now();
  const items = restartPeriods(subscription.items.data, now);
  const patch: Partial<Subscription> = { status: 'active', billing_cycle_anchor: now };
  const resume = (): void => billItems(world, subscription, { items, reason: 'subscription_update', patch });
  const tries = behavior === 'resume_on_payment_success';
  if (tries && isPaidAtOnce(world, subscription, resume)) {
    resume();
    emit(world, 'customer.subscription.resumed', world.tables.subscriptions.require(subscription.id));
    return;
  }
  holdChange(world, subscription, {
    kind: tries ? 'resumption' : 'attempted_resumption',
    change: { ...withItems(subscription, items), ...patch },
    billed: items,
  });
}
