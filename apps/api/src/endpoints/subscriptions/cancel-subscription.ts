import { cancelRequest, ServiceError } from '@billing/domain';
import type { CancelRequest } from '@billing/domain';
import type { ProjectSubscription } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { changeOnce } from '../../subscriptions/change-once.ts';
import { refuseShared } from '../../subscriptions/find-subscription.ts';
import { releaseSchedule } from '../../subscriptions/stripe-calls.ts';
import type { StripeCall } from '../../subscriptions/stripe-calls.ts';
import { changedAnswer, changeErrors, changeHeaders } from './changed-answer.ts';

const notCancelable = (message: string): ServiceError => new ServiceError('not_cancelable', message);

/** Canceled ones are as was asked. Of those that never began, or that are paused, no period ends. */
function planCancel(subscription: ProjectSubscription, { at, reason }: CancelRequest): StripeCall[] {
  const { subscriptionId: id, status, scheduleId } = subscription;
  refuseShared(subscription);
  if (status === 'canceled') return [];
  if (status === 'incomplete_expired') throw notCancelable('Nothing is left to do: it never began.');
  const details = reason === undefined ? {} : { cancellation_details: { comment: reason } };
  const release = releaseSchedule(scheduleId);
  if (at === 'now') return [...release, { call: 'cancel', id, params: details }];
  if (status === 'incomplete' || status === 'paused')
    throw notCancelable(`No period ends while it is ${status}: send at: "now".`);
  return [...release, { call: 'update', id, params: { cancel_at_period_end: true, ...details } }];
}

export const cancelSubscription = defineEndpoint({
  method: 'post',
  path: '/api/v1/subscriptions/{subscription_id}/cancel',
  operationId: 'cancelSubscription',
  tag: 'Subscriptions',
  summary: 'Cancel a subscription',
  description:
    'Now, or at the end of the paid period. A change that was planned is dropped. Again: the same answer. Nothing is paid back.',
  access: { project: 'checkout' },
  headers: changeHeaders,
  body: { schema: cancelRequest, example: { at: 'period_end', reason: 'Too expensive' } },
  answers: [changedAnswer({ cancel_at: '2026-12-01T00:00:00.000Z', cancel_at_period_end: true })],
  errors: [...changeErrors, 'shared_subscription', 'not_cancelable'],
  handle: async (deps, { project: { projectId }, params, body, header, actor }) => {
    const { at, reason } = body;
    const order = {
      projectId,
      subscriptionId: params.subscription_id,
      actor,
      action: 'subscription.cancel',
      refusedAs: 'not_cancelable',
      body,
      audit: { ...(reason === undefined ? {} : { reason }), details: { at } },
      plan: (subscription: ProjectSubscription) => planCancel(subscription, body),
    } as const;
    return { body: await changeOnce(deps, order, header('idempotency-key')) };
  },
});
