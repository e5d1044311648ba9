import { pauseRequest, secondMs, ServiceError, toTimestampOrNull } from '@billing/domain';
import type { Instant, PauseRequest } from '@billing/domain';
import type { ProjectSubscription } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { changeOnce } from '../../subscriptions/change-once.ts';
import { refuseShared } from '../../subscriptions/find-subscription.ts';
import type { StripeCall } from '../../subscriptions/stripe-calls.ts';
import { changedAnswer, changeErrors, changeHeaders } from './changed-answer.ts';

const isPausable = ({ status }: ProjectSubscription): boolean =>
  status === 'trialing' || status === 'active' || status === 'past_due';

function refusePast({ resumes_at: resumesAt }: PauseRequest, now: Instant): void {
  if (resumesAt === undefined || resumesAt > now) return;
  throw new ServiceError('invalid_request', 'Choose a resumes_at in the future.', {
    errors: [{ path: 'resumes_at', message: 'must be in the future' }],
  });
}

function planPause(
  subscription: ProjectSubscription,
  { behavior, resumes_at: resumesAt }: PauseRequest,
): StripeCall[] {
  const { subscriptionId: id, status } = subscription;
  refuseShared(subscription);
  if (!isPausable(subscription))
    throw new ServiceError(
      'not_pausable',
      `Pause one that is trialing, active or past_due: it is ${status}.`,
    );
  const until = resumesAt === undefined ? {} : { resumes_at: Math.ceil(resumesAt / secondMs) };
  return [{ call: 'update', id, params: { pause_collection: { behavior, ...until } } }];
}

export const pauseSubscription = defineEndpoint({
  method: 'post',
  path: '/api/v1/subscriptions/{subscription_id}/pause',
  operationId: 'pauseSubscription',
  tag: 'Subscriptions',
  summary: 'Stop to collect a subscription for a while',
  description:
    "Its periods go on, and what becomes of their invoices is up to you. Whether its features stay meanwhile is the project's `pause_collection` policy. Again: replaces the pause.",
  access: { project: 'checkout' },
  headers: changeHeaders,
  body: { schema: pauseRequest, example: { behavior: 'void', resumes_at: '2099-01-01T00:00:00.000Z' } },
  answers: [
    changedAnswer({ pause_collection: { behavior: 'void', resumes_at: '2099-01-01T00:00:00.000Z' } }),
  ],
  errors: [...changeErrors, 'shared_subscription', 'not_pausable'],
  handle: async (deps, { project: { projectId }, params, body, header, actor }) => {
    refusePast(body, deps.clock());
    const { behavior, resumes_at: resumesAt = null } = body;
    const order = {
      projectId,
      subscriptionId: params.subscription_id,
      actor,
      action: 'subscription.pause',
      refusedAs: 'not_pausable',
      body,
      audit: { details: { behavior, resumes_at: toTimestampOrNull(resumesAt) } },
      plan: (subscription: ProjectSubscription) => planPause(subscription, body),
    } as const;
    return { body: await changeOnce(deps, order, header('idempotency-key')) };
  },
});
