import { portalRequest, portalResponse, secondMs, ServiceError, toTimestamp } from '@billing/domain';
import { findPortalCustomer, getProject } from '@billing/store';
import { callStripe, isMissingCustomer, startStripeBudget } from '../../checkout/call-stripe.ts';
import { portalSession } from '../../checkout/stripe-answers.ts';
import { checkRedirects } from '../../checkout/check-redirects.ts';
import { defineEndpoint } from '../../http/define-endpoint.ts';

const stripeMs = 12_500;
/** Stripe names no end; its page should be opened at once. */
const usableMs = 300 * secondMs;

export const createPortalSession = defineEndpoint({
  method: 'post',
  path: '/api/v1/portal/create-session',
  operationId: 'createPortalSession',
  tag: 'Selling',
  summary: "Open Stripe's customer portal",
  access: { project: 'checkout' },
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
  errors: ['customer_not_found', 'stripe_error', 'stripe_unavailable'],
  handle: async (deps, { project: { projectId }, body: { user_id: userId, return_url: returnUrl } }) => {
    const { redirectOrigins } = await getProject(deps.database, projectId);
    deps.warnOfOpenRedirects({ projectId, redirectOrigins });
    checkRedirects(redirectOrigins, { return_url: returnUrl });
    const customer = await findPortalCustomer(deps.database, { projectId, userId });
    if (customer === null) throw customerNotFound();
    const params = { customer, return_url: returnUrl };
    const session = await callStripe(
      { ...deps, budget: startStripeBudget(stripeMs) },
      portalSession,
      (options) => deps.stripe.billingPortal.sessions.create(params, options),
    ).catch((error: unknown) => {
      throw isMissingCustomer(error) ? customerNotFound(error) : error;
    });
    const expiresAt = toTimestamp(session.created + usableMs);
    return { body: { portal_url: session.url, expires_at: expiresAt } };
  },
});

const customerNotFound = (cause?: unknown): ServiceError =>
  new ServiceError('customer_not_found', 'Offer the portal to users who have bought something.', { cause });
