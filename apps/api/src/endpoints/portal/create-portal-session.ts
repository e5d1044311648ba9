import { portalRequest, portalResponse, secondMs, ServiceError, toTimestamp } from '@billing/domain';
import type { PortalRequest } from '@billing/domain';
import { getProject } from '@billing/store';
import type { Stripe } from 'stripe';
import type { z } from 'zod';
import {
  callStripe,
  isMissingCustomer,
  startStripeBudget,
  stripeErrorOf,
} from '../../checkout/call-stripe.ts';
import { portalSession } from '../../checkout/stripe-answers.ts';
import { checkRedirects } from '../../checkout/check-redirects.ts';
import type { AppDeps } from '../../deps.ts';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { findPortalTarget } from './find-portal-target.ts';

const stripeMs = 12_500;
/** Stripe names no end; its page should be opened at once. */
const usableMs = 300 * secondMs;

export const createPortalSession = defineEndpoint({
  method: 'post',
  path: '/api/v1/portal/create-session',
  operationId: 'createPortalSession',
  tag: 'Selling',
  summary: "Open Stripe's customer portal",
  description:
    'It opens the Stripe customer that holds `subscription_id`, else one with a live subscription, else the one that is billed.',
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
  errors: ['customer_not_found', 'subscription_not_found', 'stripe_error', 'stripe_unavailable'],
  handle: async (deps, { project: { projectId }, body }) => {
    const { user_id: userId, return_url: returnUrl } = body;
    const { redirectOrigins, portalConfiguration } = await getProject(deps.database, projectId);
    deps.warnOfOpenRedirects({ projectId, redirectOrigins });
    checkRedirects(redirectOrigins, { return_url: returnUrl });
    const target = await findPortalTarget(deps.database, { projectId, userId, ...body });
    if (target.customer === null) throw customerNotFound();
    const params = {
      customer: target.customer,
      return_url: returnUrl,
      ...flowOf(body, target.subscription),
    };
    const choice = { asked: body.configuration, byDefault: portalConfiguration };
    const session = await openPortal(deps, params, { projectId, ...choice }).catch((error: unknown) => {
      throw isMissingCustomer(error) ? customerNotFound(error) : (refusalOf(error, body) ?? error);
    });
    const expiresAt = toTimestamp(session.created + usableMs);
    return { body: { portal_url: session.url, expires_at: expiresAt } };
  },
});

type Configured = { projectId: string; asked: string | undefined; byDefault: string | null };

/**
 * Asks Stripe for a session. Where it refuses the project's default configuration (which was deleted, or is not active), the account's
 * own is opened: the user did not ask for another one, and must reach cards and invoices all the same.
 */
async function openPortal(
  deps: Pick<AppDeps, 'stripe' | 'logger'>,
  params: Stripe.BillingPortal.SessionCreateParams,
  { projectId, asked, byDefault }: Configured,
): Promise<z.output<typeof portalSession>> {
  const call = { ...deps, budget: startStripeBudget(stripeMs) };
  const open = (configuration: string | null) =>
    callStripe(call, portalSession, (options) =>
      deps.stripe.billingPortal.sessions.create(
        configuration === null ? params : { ...params, configuration },
        options,
      ),
    );
  try {
    return await open(asked ?? byDefault);
  } catch (error) {
    const isOfDefault = asked === undefined && byDefault !== null;
    if (!isOfDefault || stripeErrorOf(error)?.param !== 'configuration') throw error;
    deps.logger.warn('default_portal_configuration_left_out', {
      project_id: projectId,
      configuration: byDefault,
    });
    return open(null);
  }
}

type Flow = Pick<Stripe.BillingPortal.SessionCreateParams, 'flow_data'>;

/** The task that the portal opens at. Whoever has done it goes back to the product. */
function flowOf({ flow, return_url: returnUrl }: PortalRequest, subscription: string | null): Flow {
  if (flow === undefined) return {};
  const back = { type: 'redirect' as const, redirect: { return_url: returnUrl } };
  const about = flow === 'payment_method_update' || subscription === null ? {} : { [flow]: { subscription } };
  return { flow_data: { type: flow, after_completion: back, ...about } };
}

/** What Stripe refuses because of the request; null: because of something else. */
function refusalOf(cause: unknown, { configuration }: PortalRequest): ServiceError | null {
  const param = stripeErrorOf(cause)?.param ?? '';
  const isOwn = configuration !== undefined && param === 'configuration';
  const path = isOwn ? 'configuration' : param.startsWith('flow_data') ? 'flow' : null;
  if (path === null) return null;
  const errors = [{ path, message: 'is refused by Stripe' }];
  return new ServiceError('invalid_request', 'Use a configuration and a task that Stripe allows.', {
    errors,
    cause,
  });
}

const customerNotFound = (cause?: unknown): ServiceError =>
  new ServiceError('customer_not_found', 'Offer the portal to users who have bought something.', { cause });
