import { isEnded } from '../billing/subscription-changes.ts';
import { invalid } from '../errors.ts';
import type { Subscription } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import { checkTerms } from './subscription-choices.ts';
import type { UpdateSubscription } from './subscription-params.ts';

/** https://docs.stripe.com/billing/subscriptions/pending-updates-reference#supported-attributes */
const pendable = new Set([
  'billing_cycle_anchor',
  'expand',
  'items',
  'payment_behavior',
  'proration_behavior',
  'proration_date',
  'trial_end',
]);

function checkPending(subscription: Subscription, params: UpdateSubscription): void {
  if (params.payment_behavior !== 'pending_if_incomplete') return;
  const given = Object.entries(params).filter(([, value]) => value !== undefined);
  const [unsupported] = given.map(([name]) => name).filter((name) => !pendable.has(name));
  if (unsupported !== undefined) {
    throw invalid(
      `When \`payment_behavior\` is set to \`pending_if_incomplete\`, you cannot pass \`${unsupported}\`: pending updates do not support it.`,
      unsupported,
    );
  }
  if (subscription.collection_method === 'send_invoice') {
    throw invalid(
      'You cannot set `payment_behavior` to `pending_if_incomplete` for a subscription whose `collection_method` is `send_invoice`.',
      'payment_behavior',
    );
  }
}

function checkSchedule(world: World, { schedule: id }: Subscription, params: UpdateSubscription): void {
  const schedule = world.tables.schedules.get(id ?? '');
  const changesEnd = params.cancel_at !== undefined || params.cancel_at_period_end !== undefined;
  if (schedule?.status !== 'active' || !changesEnd) return;
  throw invalid(
    `The subscription is managed by the subscription schedule \`${schedule.id}\`, and updating any cancelation behavior directly is not allowed. Please update the schedule instead.`,
  );
}

export function checkProrationDate(
  subscription: Subscription,
  date: number | undefined,
  param: string,
): void {
  if (date === undefined) return;
  const items = subscription.items.data;
  const start = Math.min(...items.map((item) => item.current_period_start));
  const end = Math.max(...items.map((item) => item.current_period_end));
  if (date < start || date > end)
    throw invalid('Cannot specify a proration date outside of the current billing period.', param);
}

function checkTimes(world: World, subscription: Subscription, params: UpdateSubscription): void {
  const now = world.clock.now();
  checkProrationDate(subscription, params.proration_date, 'proration_date');
  if (typeof params.trial_end === 'number' && params.trial_end <= now)
    throw invalid('The trial end date must be in the future, or `now`.', 'trial_end');
  const resumesAt = params.pause_collection?.resumes_at ?? null;
  if (resumesAt !== null && resumesAt <= now)
    throw invalid('`resumes_at` must be in the future.', 'pause_collection[resumes_at]');
}

/** What Stripe refuses before it changes anything. */
export function checkUpdate(world: World, subscription: Subscription, params: UpdateSubscription): void {
  if (isEnded(subscription)) {
    throw invalid(
      'A canceled subscription can only update its cancellation_details and metadata.',
      undefined,
      'invalid_canceled_subscription_fields',
    );
  }
  if (subscription.status === 'incomplete' && params.items !== undefined) {
    throw invalid(
      'A subscription that is `incomplete` can only update its metadata and its default payment method.',
      'items',
    );
  }
  checkTerms(params, String(subscription.collection_method));
  checkSchedule(world, subscription, params);
  checkPending(subscription, params);
  checkTimes(world, subscription, params);
}
