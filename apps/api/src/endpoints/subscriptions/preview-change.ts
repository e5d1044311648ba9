import { changePreview, previewChangeRequest } from '@billing/domain';
import type { ErrorCode } from '@billing/domain';
import { startStripeBudget } from '../../checkout/call-stripe.ts';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { findSubscription } from '../../subscriptions/find-subscription.ts';
import { previewChange as preview } from '../../subscriptions/preview-change.ts';

const stripeMs = 12_500;

/** Of what cannot be wanted. */
export const wantedErrors: readonly ErrorCode[] = [
  'price_not_found',
  'price_archived',
  'mode_mismatch',
  'group_conflict',
  'already_subscribed',
  'group_occupied',
  'shared_subscription',
  'not_changeable',
];

export const previewChange = defineEndpoint({
  method: 'post',
  path: '/api/v1/subscriptions/{subscription_id}/preview',
  operationId: 'previewSubscriptionChange',
  tag: 'Subscriptions',
  summary: 'What a change would cost',
  description:
    "By Stripe's own preview; nothing changes. Show it, and send `preview_token` with the change: then the amount charged is the amount shown.",
  access: { project: 'read' },
  body: {
    schema: previewChangeRequest,
    example: { items: [{ price_id: 'premium_monthly', quantity: 1 }] },
  },
  answers: [
    {
      status: 200,
      description: 'What is due when the change is made, and next.',
      schema: changePreview,
      example: {
        due_now: 1_500,
        credit: 0,
        currency: 'usd',
        lines: [
          {
            description: 'Unused time on Basic after 16 Nov 2026',
            amount: -500,
            period: { start: '2026-11-16T00:00:00.000Z', end: '2026-12-01T00:00:00.000Z' },
          },
          {
            description: 'Remaining time on Premium after 16 Nov 2026',
            amount: 2_000,
            period: { start: '2026-11-16T00:00:00.000Z', end: '2026-12-01T00:00:00.000Z' },
          },
        ],
        next_invoice: { at: '2026-12-01T00:00:00.000Z', amount: 4_000 },
        effective_at: '2026-11-16T00:00:00.000Z',
        preview_token: 'eyJwcm9yYXRpb25EYXRlIjox.c2lnbmF0dXJl',
        expires_at: '2026-11-16T00:10:00.000Z',
      },
    },
  ],
  errors: ['subscription_not_found', ...wantedErrors, 'stripe_error', 'stripe_unavailable'],
  handle: async (deps, { project: { projectId }, params: { subscription_id: subscriptionId }, body }) => {
    const { userId } = await findSubscription(deps, { projectId, subscriptionId });
    const order = { projectId, subscriptionId, userId, wanted: body };
    return { body: await preview(deps, order, startStripeBudget(stripeMs)) };
  },
});
