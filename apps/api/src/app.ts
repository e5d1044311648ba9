import { parse } from 'node:querystring';
import type { ParsedUrlQuery } from 'node:querystring';
import { ServiceError } from '@billing/domain';
import express from 'express';
import type { ErrorRequestHandler, Express } from 'express';
import type { AppDeps } from './deps.ts';
import { createAdminRouter } from './admin/admin-router.ts';
import { createCheckoutRouter } from './checkout/checkout-router.ts';
import { createAnswerSource } from './entitlements/answer-source.ts';
import { createBatchHandler, createCheckHandler } from './entitlements/check-entitlement.ts';
import { requireProjectKey } from './http/authenticate.ts';
import { answerPreflight } from './http/allow-origins.ts';
import { createFailureHandler } from './http/handle-failure.ts';
import { methodNotAllowed } from './http/method-not-allowed.ts';
import { mounts, observeRequests } from './http/observe-requests.ts';
import { readJson } from './http/parse.ts';
import { createRequestMeter } from './http/request-meter.ts';
import { sampleAccessLog } from './http/sample-access-log.ts';
import { createOpenApiRouter } from './openapi/openapi-router.ts';
import { createOperationsRouter } from './operations/operations-router.ts';
import { createQueueScreen } from './operations/queue-screen.ts';
import { createPortalRouter } from './portal/portal-router.ts';
import { createProjectMetricsRouter } from './project-metrics/project-metrics-router.ts';
import { receiveStripeWebhook } from './webhooks/receive-stripe-webhook.ts';

/** Every parameter is looked at: Node's own limit, of 1,000, would hide what comes after. The URL's length is limited. */
const parseWholeQuery = (query: string): ParsedUrlQuery => parse(query, '&', '=', { maxKeys: 0 });

/** The whole API as an Express app: what answers where, in this order. */
export function createApp(deps: AppDeps): Express {
  const meter = createRequestMeter(deps.metrics);
  const handleFailure = createFailureHandler(deps);
  const checkDeps = { ...deps, answers: createAnswerSource(deps) };
  const app = express();
  app
    .disable('x-powered-by')
    .disable('etag')
    .set('query parser', parseWholeQuery)
    .set('case sensitive routing', true)
    .set('trust proxy', deps.config.trustedProxies);

  // The hot route comes first: each middleware before it would cost 2 to 3 % of its throughput.
  const check = createCheckHandler(checkDeps, { meter, handleFailure });
  const sampling = { logger: deps.logger, route: '/api/v1/entitlements', share: deps.config.accessLogSample };
  app.get('/api/v1/entitlements', sampleAccessLog(check, sampling));

  const observe = observeRequests(deps, meter);
  // The other busy route: its own handlers cost less than passing through those of all.
  app.post('/api/v1/webhooks/stripe', observe, receiveStripeWebhook(deps));

  app.use(observe);
  if (deps.config.corsOrigins.length > 0) app.options('/api/v1/*path', answerPreflight);
  app.post(
    '/api/v1/entitlements/batch',
    requireProjectKey(deps, 'read'),
    readJson,
    createBatchHandler(checkDeps),
  );
  app.use(createCheckoutRouter(deps));
  app.use(createPortalRouter(deps));
  app.use(createProjectMetricsRouter(deps));
  app.use(mounts.admin, createAdminRouter(deps));
  app.use(createOperationsRouter(deps));
  app.use(createOpenApiRouter());
  app.use(mounts.queueScreen, createQueueScreen(deps));

  app.all('/api/v1/entitlements', methodNotAllowed('GET'));
  app.all('/api/v1/entitlements/batch', methodNotAllowed('POST'));
  app.all('/api/v1/webhooks/stripe', methodNotAllowed('POST'));
  app.use(() => {
    throw new ServiceError(
      'route_not_found',
      'Look the address up at /docs (for people) or in /openapi.json.',
    );
  });
  // Express knows an error handler by its four parameters.
  const onError: ErrorRequestHandler = (error, request, response, _next) =>
    handleFailure(error, request, response);
  app.use(onError);
  return app;
}
