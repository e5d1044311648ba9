import {
  batchRequest,
  batchResponse,
  checkoutRequest,
  checkoutResponse,
  entitlementsQuery,
  entitlementsResponse,
  portalRequest,
  portalResponse,
  projectMetricsResponse,
  webhookRequest,
  webhookResponse,
} from '@billing/domain';
import type { Endpoint } from '../endpoint.ts';
import { entitlementsExample } from './examples.ts';

const cacheHeader = {
  'x-cache': {
    description: '`hit`, `miss`, or `bypass` where the cache is away or was not asked.',
    schema: { type: 'string', enum: ['hit', 'miss', 'bypass'] },
  },
};

/** What the backends of products call, and Stripe. */
export const productEndpoints: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/api/v1/entitlements',
    operationId: 'checkEntitlements',
    tag: 'Entitlements',
    summary: 'What a user may do now',
    description:
      'Lists what is in force, one entry per feature. A user nobody has heard of gets 200 and an empty list. Never fewer than the truth: what cannot be answered is 503.',
    access: 'project',
    query: entitlementsQuery,
    answers: [
      {
        status: 200,
        description: 'The entitlements in force.',
        schema: entitlementsResponse,
        example: entitlementsExample,
        headers: cacheHeader,
      },
    ],
    errors: ['project_mismatch'],
  },
  {
    method: 'post',
    path: '/api/v1/entitlements/batch',
    operationId: 'checkEntitlementsBatch',
    tag: 'Entitlements',
    summary: 'What up to 100 users may do now',
    access: 'project',
    body: { schema: batchRequest, example: { user_ids: ['user_1'] } },
    answers: [
      {
        status: 200,
        description: 'One result per user, in the order asked.',
        schema: batchResponse,
        example: { project_id: 'shop', results: [entitlementsExample] },
        headers: cacheHeader,
      },
    ],
    errors: ['project_mismatch'],
  },
  {
    method: 'post',
    path: '/api/v1/checkout/create',
    operationId: 'createCheckout',
    tag: 'Selling',
    summary: 'Sell: make a Stripe checkout page',
    description:
      'Send the user to `checkout_url`. `{CHECKOUT_SESSION_ID}` in `success_url` is filled in by Stripe. What was bought counts when Stripe says so, usually within a second.',
    access: 'project',
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
      'project_mismatch',
      'price_archived',
      'mode_mismatch',
      'price_not_found',
      'already_subscribed',
      'idempotency_conflict',
      'idempotency_in_progress',
      'stripe_error',
      'stripe_unavailable',
    ],
  },
  {
    method: 'post',
    path: '/api/v1/portal/create-session',
    operationId: 'createPortalSession',
    tag: 'Selling',
    summary: "Open Stripe's customer portal",
    access: 'project',
    body: {
      schema: portalRequest,
      example: { user_id: 'user_1', return_url: 'https://app.example.com/account' },
    },
    answers: [
      {
        status: 200,
        description: 'The page to send the user to, at once: `expires_at` is a careful hint.',
        schema: portalResponse,
        example: {
          portal_url: 'https://billing.stripe.com/p/session/test_123',
          expires_at: '2026-11-22T10:05:00.000Z',
        },
      },
    ],
    errors: ['project_mismatch', 'customer_not_found', 'stripe_error', 'stripe_unavailable'],
  },
  {
    method: 'get',
    path: '/api/v1/metrics/project/{project_id}',
    operationId: 'readProjectMetrics',
    tag: 'Metrics',
    summary: 'Subscriptions and revenue of the project',
    description: 'A yearly price counts a twelfth, a trial nothing.',
    access: 'project',
    answers: [
      {
        status: 200,
        description: 'The numbers as of now.',
        schema: projectMetricsResponse,
        example: {
          project_id: 'shop',
          active_subscriptions: 40,
          trialing_subscriptions: 2,
          total_subscriptions: 57,
          estimated_mrr_cents: 40_000,
          estimated_mrr_dollars: 400,
        },
      },
    ],
    errors: ['project_mismatch'],
  },
  {
    method: 'post',
    path: '/api/v1/webhooks/stripe',
    operationId: 'receiveStripeWebhook',
    tag: 'Webhooks',
    summary: 'Take an event from Stripe',
    description:
      'The signature covers the exact bytes: at most 1 MiB, any content type, not compressed. 200 means that the event is in the queue and will take effect; a type that nobody handles is answered the same and dropped. Anything else that is signed, such as an empty body, is 400 `invalid_payload`.',
    access: 'stripe',
    body: {
      schema: webhookRequest,
      example: {
        id: 'evt_123',
        object: 'event',
        type: 'customer.subscription.updated',
        created: 1_795_341_600,
        livemode: false,
        data: { object: { id: 'sub_123', object: 'subscription', customer: 'cus_123', status: 'active' } },
      },
    },
    answers: [
      {
        status: 200,
        description: 'Taken.',
        schema: webhookResponse,
        example: { received: true, event_id: 'evt_123' },
      },
    ],
    errors: ['invalid_payload', 'queue_unavailable'],
  },
];
