import { resumeRequest, ServiceError } from '@billing/domain';
import type { ProjectSubscription } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { changeOnce } from '../../subscriptions/change-once.ts';
import { refuseShared, requireLive } from '../../subscriptions/find-subscription.ts';
import { releaseSchedule } from '../../subscriptions/stripe-calls.ts';
import type { StripeCall } from '../../subscriptions/stripe-calls.ts';
import { changedAnswer, changeErrors, changeHeaders } from './changed-answer.ts';

/** However the end was set: by the boolean, by a moment (the portal does so), or by a schedule. */
function keepOn({ cancelAt, cancelAtPeriodEnd }: ProjectSubscription): Record<string, unknown> {
  if (cancelAtPeriodEnd) return { cancel_at_period_end: false };
  return cancelAt === null ? {} : { cancel_at: '' };
}

const notResumable = (message: string): ServiceError => new ServiceError('not_resumable', message);

function planResume(subscription: ProjectSubscription): StripeCall[] {
  const { subscriptionId: id, status, scheduleId, collectionPaused, pendingPayment } = subscription;
  refuseShared(subscription);
  // Its first invoice is paid now. Where one waits to be paid already, resuming it would only make another.
  if (status === 'paused' && pendingPayment !== null) return [];
  if (status === 'paused')
    return [{ call: 'resume', id, params: { payment_behavior: 'resume_on_payment_success' } }];
  requireLive(subscription, 'not_resumable');
  const ending = keepOn(subscription);
  const isEnding = Object.keys(ending).length > 0;
  if (!isEnding && !collectionPaused)
    throw notResumable('Nothing is left to do: it neither ends nor is paused.');
  const params = { ...ending, ...(collectionPaused ? { pause_collection: '' } : {}) };
  return [...(isEnding ? releaseSchedule(scheduleId) : []), { call: 'update', id, params }];
}

export const resumeSubscription = defineEndpoint({
  method: 'post',
  path: '/api/v1/subscriptions/{subscription_id}/resume',
  operationId: 'resumeSubscription',
  tag: 'Subscriptions',
  summary: 'Undo a cancellation or a pause',
  description:
    'Undoes a cancellation that is still to come, however it was set, and a pause. One that is `paused`, as its trial ended without a card, begins to be paid: it stays `paused` until its invoice is. Where the card is declined, `pending_payment` says where to pay it; `DELETE …/pending-change` gives it up.',
  access: { project: 'checkout' },
  headers: changeHeaders,
  body: { schema: resumeRequest, example: {} },
  answers: [changedAnswer({})],
  errors: [...changeErrors, 'shared_subscription', 'not_resumable'],
  handle: async (deps, { project: { projectId }, params, body, header, actor }) => {
    const order = {
      projectId,
      subscriptionId: params.subscription_id,
      actor,
      action: 'subscription.resume',
      refusedAs: 'not_resumable',
      body,
      audit: { details: {} },
      plan: planResume,
    } as const;
    return { body: await changeOnce(deps, order, header('idempotency-key')) };
  },
});
