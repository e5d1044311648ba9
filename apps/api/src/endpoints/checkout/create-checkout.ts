import { checkoutRequest, checkoutResponse } from '@billing/domain';
import { withDeadline } from '@billing/platform';
import { answerOnce, parseIdempotencyKey } from '../../checkout/answer-once.ts';
import { startStripeBudget } from '../../checkout/call-stripe.ts';
import { tooLate } from '../../checkout/prepare-sale.ts';
import { sell } from '../../checkout/sell.ts';
import { defineEndpoint } from '../../http/define-endpoint.ts';

/** A checkout answers within 15 s, whatever hangs; Stripe gets most of that. */
const deadlineMs = 14_500;
const stripeMs = 12_500;

export const createCheckout = defineEndpoint({
  method: 'post',
  path: '/api/v1/checkout/create',
  operationId: 'createCheckout',
  tag: 'Selling',
  summary: 'Sell: make a Stripe checkout page',
  description:
    "Send the user to `checkout_url`, or show the page inside of yours by `client_secret`. `{CHECKOUT_SESSION_ID}` in `success_url` or `return_url` is filled in by Stripe. What was bought counts when Stripe says so, usually within a second. What the request leaves out is as the project's `checkout_defaults` say; a default that contradicts the request counts for nothing.",
  access: { project: 'checkout' },
  headers: [
    {
      name: 'Idempotency-Key',
      description:
        'Per project, 1 to 255 printable ASCII characters: the same key and body give the same answer for 24 hours. Only 200 is remembered.',
      pattern: '^[!-~](?:[ -~]{0,253}[!-~])?$',
      isRequired: false,
      example: 'order-4711',
    },
  ],
  body: {
    schema: checkoutRequest,
    example: {
      user_id: 'user_1',
      price_id: 'premium_monthly',
      mode: 'subscription',
      success_url: 'https://app.example.com/thanks?session={CHECKOUT_SESSION_ID}',
      cancel_url: 'https://app.example.com/plans',
      quantity: 1,
      trial_days: 14,
      email: 'buyer@example.com',
      metadata: { campaign: 'spring' },
    },
  },
  answers: [
    {
      status: 200,
      description: 'The page to send the user to.',
      schema: checkoutResponse,
      example: {
        checkout_url: 'https://checkout.stripe.com/c/pay/cs_test_123',
        session_id: 'cs_test_123',
        expires_at: '2026-11-23T10:00:00.000Z',
      },
    },
  ],
  errors: [
    'price_archived',
    'mode_mismatch',
    'group_conflict',
    'trial_used',
    'price_not_found',
    'promotion_code_not_found',
    'promotion_code_not_redeemable',
    'already_subscribed',
    'group_occupied',
    'idempotency_conflict',
    'idempotency_in_progress',
    'stripe_error',
    'stripe_unavailable',
  ],
  handle: async (deps, { project: { projectId }, body, header }) => {
    const key = parseIdempotencyKey(header('idempotency-key'));
    const budget = startStripeBudget(stripeMs);
    // With or without project_id it is the same request: the key names the project.
    const once = { projectId, key, body: { ...body, project_id: projectId }, answerSchema: checkoutResponse };
    const answered = answerOnce(deps, once, (oneTry) =>
      sell(deps, { projectId, request: body, oneTry }, budget),
    );
    return { body: await withDeadline(answered, { ms: deadlineMs, onTimeout: tooLate }) };
  },
});
