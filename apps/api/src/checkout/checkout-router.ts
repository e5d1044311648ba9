import { checkoutRequest, checkoutResponse, ServiceError } from '@billing/domain';
import { withDeadline } from '@billing/platform';
import { Router } from 'express';
import pLimit from 'p-limit';
import type { RequestHandler } from 'express';
import type { AppDeps } from '../deps.ts';
import { projectOf, requireProjectKey, requireSameProject } from '../http/authenticate.ts';
import type { ProjectKeyDeps } from '../http/authenticate.ts';
import { mountRoute } from '../http/mount-route.ts';
import { parseBody, readJson } from '../http/parse.ts';
import { answerOnce, parseIdempotencyKey } from './answer-once.ts';
import { startStripeBudget } from './call-stripe.ts';
import { createCheckout, tooLate } from './create-checkout.ts';
import type { CheckoutDeps } from './create-checkout.ts';

/** A checkout answers within 15 s, whatever hangs; Stripe gets most of that. */
const deadlineMs = 14_500;
const stripeMs = 12_500;
/** Of the process's connections: the others are for the readers. */
const shareOfPool = 0.4;

/** `POST /api/v1/checkout/create`. */
export function createCheckoutRouter(
  deps: ProjectKeyDeps & Pick<AppDeps, 'config' | 'database' | 'stripe' | 'logger'>,
): Router {
  const router = Router({ caseSensitive: true });
  const preparing = pLimit(Math.max(1, Math.floor(deps.config.databasePoolSize * shareOfPool)));
  const checkout = handleCheckout({ ...deps, flights: new Map(), preparing });
  mountRoute(router, '/api/v1/checkout/create', {
    post: [requireProjectKey(deps, 'checkout'), readJson, checkout],
  });
  return router;
}

function handleCheckout(deps: CheckoutDeps): RequestHandler {
  return async (request, response) => {
    const record = projectOf(response);
    const body = parseBody(checkoutRequest, request);
    requireSameProject(record, body.project_id);
    if (body.mode === 'payment' && body.trial_days !== undefined) throw trialWithoutSubscription();
    const { projectId } = record;
    const key = parseIdempotencyKey(request.get('idempotency-key'));
    const budget = startStripeBudget(stripeMs);
    // project_id names what the key says anyway: with or without it, it is the same request.
    const order = { ...body, project_id: projectId };
    const answer = await withDeadline(
      answerOnce(deps, { projectId, key, body: order, answerSchema: checkoutResponse }, (stripeKeySeed) =>
        createCheckout(deps, { projectId, request: body, stripeKeySeed }, budget),
      ),
      { ms: deadlineMs, onTimeout: tooLate },
    );
    response.status(200).json(answer);
  };
}

const trialWithoutSubscription = (): ServiceError =>
  new ServiceError('invalid_request', 'Leave trial_days out, or sell a subscription.', {
    errors: [{ path: 'trial_days', message: 'is for the mode subscription only' }],
  });
