import { createHash } from 'node:crypto';
import { id } from '@billing/domain';
import type { Stripe } from 'stripe';
import { z } from 'zod';
import type { Try } from '../checkout/answer-once.ts';
import { callStripe } from '../checkout/call-stripe.ts';
import type { StripeBudget } from '../checkout/call-stripe.ts';
import type { AppDeps } from '../deps.ts';

const callNames = ['update', 'cancel', 'resume', 'release_schedule'] as const;

const stripeCall = z.object({
  call: z.enum(callNames),
  /** Of the subscription, or its schedule. */
  id: z.string(),
  params: z.record(z.string(), z.unknown()),
});

/** A call that changes a subscription at Stripe, as it is kept with the client's idempotency key. */
export type StripeCall = z.output<typeof stripeCall>;

const keptCalls = z.object({ calls: z.array(stripeCall).min(1) });

type Send = (
  stripe: Stripe,
  call: Pick<StripeCall, 'id' | 'params'>,
  options: Stripe.RequestOptions,
) => Promise<unknown>;

const senders: Record<StripeCall['call'], Send> = {
  update: (stripe, call, options) => stripe.subscriptions.update(call.id, call.params, options),
  cancel: (stripe, call, options) => stripe.subscriptions.cancel(call.id, call.params, options),
  resume: (stripe, call, options) => stripe.subscriptions.resume(call.id, call.params, options),
  release_schedule: (stripe, call, options) =>
    stripe.subscriptionSchedules.release(call.id, call.params, options),
};

/** What an earlier try asked of Stripe without learning the outcome. Null: nothing. */
export function unansweredCalls({ unanswered }: Try): StripeCall[] | null {
  return unanswered === null ? null : keptCalls.parse(unanswered.params).calls;
}

/** The call that frees a subscription of its schedule, without which Stripe refuses to change how it ends. */
export const releaseSchedule = (scheduleId: string | null): StripeCall[] =>
  scheduleId === null ? [] : [{ call: 'release_schedule', id: scheduleId, params: {} }];

const answered = z.looseObject({ id });

type Asked = { oneTry: Try; calls: readonly StripeCall[]; userId: string };

/**
 * Makes the calls, one after the other, each with an idempotency key of its own; returns Stripe's last answer. Where an earlier
 * try did not learn the outcome, Stripe is asked the same with the same keys.
 */
export async function askStripeToChange(
  deps: Pick<AppDeps, 'stripe' | 'logger'>,
  { oneTry, calls, userId }: Asked,
  budget: StripeBudget,
): Promise<unknown> {
  const digest = createHash('sha256').update(oneTry.stripeKeySeed).digest('hex');
  const idempotencyKey = oneTry.unanswered?.idempotencyKey ?? `subscription-${digest}`;
  // Whose it is, so that an erasure finds it.
  const params = { metadata: { user_id: userId }, calls };
  await oneTry.willAsk({ idempotencyKey, params });
  let answer: unknown = null;
  for (const [index, one] of calls.entries())
    answer = await callStripe({ ...deps, budget }, answered, (options) =>
      senders[one.call](deps.stripe, one, { ...options, idempotencyKey: `${idempotencyKey}-${index}` }),
    );
  return answer;
}
