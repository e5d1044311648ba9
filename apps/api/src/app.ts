import type { RequestListener } from 'node:http';
import { parse } from 'node:querystring';
import type { ParsedUrlQuery } from 'node:querystring';
import { ServiceError } from '@billing/domain';
import { createRequestMeter } from '@billing/platform';
import type { RequestMeter } from '@billing/platform';
import express from 'express';
import type { ErrorRequestHandler, Express, RequestHandler } from 'express';
import { serveConsole } from './console/serve-console.ts';
import type { AppDeps } from './deps.ts';
import { createApiKey } from './endpoints/api-keys/create-api-key.ts';
import { listApiKeys } from './endpoints/api-keys/list-api-keys.ts';
import { rotateApiKey } from './endpoints/api-keys/rotate-api-key.ts';
import { revokeApiKey } from './endpoints/api-keys/revoke-api-key.ts';
import { assign } from './endpoints/assignments/assign.ts';
import { createCheckout } from './endpoints/checkout/create-checkout.ts';
import { consoleAdminEndpoints, consoleEndpoints } from './endpoints/console/console-endpoints.ts';
import { getConsole } from './endpoints/console/get-console.ts';
import { confirmCustomer } from './endpoints/customers/confirm-customer.ts';
import { mapCustomer } from './endpoints/customers/map-customer.ts';
import { moveCustomer } from './endpoints/customers/move-customer.ts';
import { checkEntitlementsBatch } from './endpoints/entitlements/check-entitlements-batch.ts';
import { checkEntitlements, hotCheckEntitlements } from './endpoints/entitlements/check-entitlements.ts';
import { recordEndpoints } from './endpoints/events/record-endpoints.ts';
import { createFeature } from './endpoints/features/create-feature.ts';
import { getFeature } from './endpoints/features/get-feature.ts';
import { listFeatures } from './endpoints/features/list-features.ts';
import { patchFeature } from './endpoints/features/patch-feature.ts';
import { createGrant } from './endpoints/grants/create-grant.ts';
import { revokeGrant } from './endpoints/grants/revoke-grant.ts';
import { docs } from './endpoints/openapi/docs.ts';
import { openapi } from './endpoints/openapi/openapi.ts';
import { healthz } from './endpoints/operations/healthz.ts';
import { live } from './endpoints/operations/live.ts';
import { metrics } from './endpoints/operations/metrics.ts';
import { ready } from './endpoints/operations/ready.ts';
import { portalEndpoints } from './endpoints/portal/portal-endpoints.ts';
import { createPrice } from './endpoints/prices/create-price.ts';
import { deletePrice } from './endpoints/prices/delete-price.ts';
import { getPrice } from './endpoints/prices/get-price.ts';
import { listPrices } from './endpoints/prices/list-prices.ts';
import { patchPrice } from './endpoints/prices/patch-price.ts';
import { createProduct } from './endpoints/products/create-product.ts';
import { getProduct } from './endpoints/products/get-product.ts';
import { listProducts } from './endpoints/products/list-products.ts';
import { patchProduct } from './endpoints/products/patch-product.ts';
import { readProjectMetrics } from './endpoints/project-metrics/read-project-metrics.ts';
import { createProject } from './endpoints/projects/create-project.ts';
import { getProject } from './endpoints/projects/get-project.ts';
import { listProjects } from './endpoints/projects/list-projects.ts';
import { patchProject } from './endpoints/projects/patch-project.ts';
import { runEndpoints } from './endpoints/runs/run-endpoints.ts';
import { subscriptionEndpoints } from './endpoints/subscriptions/subscription-endpoints.ts';
import { checkUsage, hotCheckUsage } from './endpoints/usage/check-usage.ts';
import { usageAdminEndpoints, usageEndpoints } from './endpoints/usage/usage-endpoints.ts';
import { userEndpoints } from './endpoints/users/user-endpoints.ts';
import { webhookAdminEndpoints } from './endpoints/webhook-endpoints/webhook-admin-endpoints.ts';
import { answerPreflight } from './http/allow-origins.ts';
import { requireAdmin } from './http/authenticate-admin.ts';
import type { Endpoint } from './http/define-endpoint.ts';
import { createFailureHandler } from './http/handle-failure.ts';
import { createHotHandler } from './http/hot-route.ts';
import { createRouteFinder, meteredRoutes } from './http/metered-routes.ts';
import { mountEndpoints } from './http/mount-endpoints.ts';
import { createObserver, observeRequests, sampleAccessLog } from './http/observe-requests.ts';
import { createOpenApiDocument } from './openapi/create-document.ts';
import { renderPage } from './openapi/page/render-page.ts';
import { createQueueScreen, queueScreen } from './operations/queue-screen.ts';
import { createWebhookHandler, receiveStripeWebhook } from './webhooks/receive-stripe-webhook.ts';

/** Of an `OPERATIONS_PORT` alone, where there is one; health is on both. */
const ofOperations: readonly Endpoint[] = [metrics, openapi, docs, queueScreen];
const onBothPorts: readonly Endpoint[] = [healthz, live, ready];

/** Every operation of the API, in the order in which it is mounted and described. */
export const endpoints: readonly Endpoint[] = [
  checkEntitlements, //          GET    /api/v1/entitlements
  checkEntitlementsBatch, //     POST   /api/v1/entitlements/batch
  ...usageEndpoints, //          /api/v1/check and /api/v1/usage, with what is below them
  createCheckout, //             POST   /api/v1/checkout/create
  ...portalEndpoints, //         /api/v1/portal/create-session and /api/v1/invoices
  confirmCustomer, //            POST   /api/v1/customers/confirm
  ...subscriptionEndpoints, //   /api/v1/subscriptions, with what is below it
  readProjectMetrics, //         GET    /api/v1/metrics/project/{project_id}
  receiveStripeWebhook, //       POST   /api/v1/webhooks/stripe

  listProjects, //               GET    /api/v1/admin/projects
  createProject, //              POST   /api/v1/admin/projects
  getProject, //                 GET    /api/v1/admin/projects/{project_id}
  patchProject, //               PATCH  /api/v1/admin/projects/{project_id}
  listApiKeys, //                GET    /api/v1/admin/projects/{project_id}/api-keys
  createApiKey, //               POST   /api/v1/admin/projects/{project_id}/api-keys
  rotateApiKey, //               POST   /api/v1/admin/projects/{project_id}/api-keys/{key_id}/rotate
  revokeApiKey, //               DELETE /api/v1/admin/projects/{project_id}/api-keys/{key_id}
  listFeatures, //               GET    /api/v1/admin/projects/{project_id}/features
  createFeature, //              POST   /api/v1/admin/projects/{project_id}/features
  getFeature, //                 GET    /api/v1/admin/projects/{project_id}/features/{feature_code}
  patchFeature, //               PATCH  /api/v1/admin/projects/{project_id}/features/{feature_code}
  listProducts, //               GET    /api/v1/admin/projects/{project_id}/products
  createProduct, //              POST   /api/v1/admin/projects/{project_id}/products
  getProduct, //                 GET    /api/v1/admin/projects/{project_id}/products/{product_id}
  patchProduct, //               PATCH  /api/v1/admin/projects/{project_id}/products/{product_id}
  listPrices, //                 GET    /api/v1/admin/projects/{project_id}/prices
  createPrice, //                POST   /api/v1/admin/projects/{project_id}/prices
  getPrice, //                   GET    /api/v1/admin/projects/{project_id}/prices/{price_id}
  patchPrice, //                 PATCH  /api/v1/admin/projects/{project_id}/prices/{price_id}
  deletePrice, //                DELETE /api/v1/admin/projects/{project_id}/prices/{price_id}
  mapCustomer, //                POST   /api/v1/admin/projects/{project_id}/customers
  moveCustomer, //               PATCH  /api/v1/admin/projects/{project_id}/customers/{stripe_customer_id}
  assign, //                     POST   /api/v1/admin/assign
  ...webhookAdminEndpoints, //   /api/v1/admin/projects/{project_id}/webhook-endpoints and /api/v1/admin/webhook-messages
  ...userEndpoints, //           /api/v1/admin/users, with what is below it
  createGrant, //                POST   /api/v1/admin/grant
  revokeGrant, //                POST   /api/v1/admin/revoke
  ...usageAdminEndpoints, //     /api/v1/admin/usage, with what is below it
  ...runEndpoints, //            /api/v1/admin/runs, /reconcile and the replays of /events
  ...recordEndpoints, //         /api/v1/admin/subscriptions, /purchases, /mrr, /events, /quarantine and /audit
  ...consoleAdminEndpoints, //   /api/v1/admin/overview, /samples, /sessions and /names

  ...consoleEndpoints, //        /console and /console/session

  ...onBothPorts, //             /healthz, /live, /ready
  ...ofOperations, //            /metrics, /openapi.json, /docs, /admin/queues
];

/** Node's own limit of 1,000 parameters would hide those after it. The length of the URL is limited anyway. */
const parseWholeQuery = (query: string): ParsedUrlQuery => parse(query, '&', '=', { maxKeys: 0 });

/** One for both ports: their series are the same. */
export const createMeter = ({ metrics: of }: Pick<AppDeps, 'metrics'>): RequestMeter =>
  createRequestMeter(of, meteredRoutes(endpoints));

const newApp = ({ config }: AppDeps): Express =>
  express()
    .disable('x-powered-by')
    .disable('etag')
    .set('query parser', parseWholeQuery)
    .set('case sensitive routing', true)
    .set('trust proxy', config.trustedProxies);

let described: { json: string; page: string } | undefined;

/** The same for every app of a process, and made for the first of them. */
function describeApi(): { json: string; page: string } {
  if (described !== undefined) return described;
  const document = createOpenApiDocument(endpoints);
  described = { json: JSON.stringify(document), page: renderPage(document) };
  return described;
}

/** Mounts endpoints, 404 for all else, and where errors end. */
function mountAll(app: Express, deps: AppDeps, mounted: readonly Endpoint[]): void {
  const handleFailure = createFailureHandler(deps);
  mountEndpoints(app, { ...deps, apiDescription: describeApi(), reader: deps.database }, mounted);
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
}

/** The reads that every guarded action makes. */
function mountHot(app: Express, deps: AppDeps, ends: Parameters<typeof createHotHandler>[2]): void {
  const mount = (path: string, handler: RequestHandler): void => {
    const sampling = { logger: deps.logger, route: path, share: deps.config.accessLogSample };
    app.get(path, sampleAccessLog(handler, sampling));
  };
  mount(checkEntitlements.path, createHotHandler(deps, hotCheckEntitlements(deps), ends));
  mount(checkUsage.path, createHotHandler(deps, hotCheckUsage(deps), ends));
}

/** `listener`: where requests come first. Webhooks as Stripe sends them do not pass through Express. */
export type Api = { app: Express; listener: RequestListener };

/** The API as an Express app; without an `OPERATIONS_PORT` all of it. */
export function createApp(deps: AppDeps, meter: RequestMeter = createMeter(deps)): Api {
  const isAlone = deps.config.operationsPort === undefined;
  const observe = createObserver(deps, meter);
  const handleFailure = createFailureHandler(deps);
  const app = newApp(deps);

  // The hot routes come first: each middleware before them would cost 2 to 3 % of their throughput.
  mountHot(app, deps, { meter, handleFailure });
  // The third busy one. Here come only those whose address is written in another way, such as with a query.
  const receive = createWebhookHandler(deps, { observe, handleFailure });
  app.post(receiveStripeWebhook.path, receive);

  app.use(observeRequests(observe, createRouteFinder(endpoints)));
  if (deps.config.corsOrigins.length > 0) app.options('/api/v1/*path', answerPreflight);
  // Without an admin secret every address under this is 401, the unknown ones too.
  app.use('/api/v1/admin', requireAdmin(deps));
  if (isAlone) app.use(queueScreen.path, createQueueScreen(deps));
  // Last: nothing that is busy comes by here.
  const { isServed } = deps.config.console;
  if (isServed) app.use(getConsole.path, serveConsole(deps));
  const absent = [...(isAlone ? [] : ofOperations), ...(isServed ? [] : consoleEndpoints)];
  const mounted = endpoints.filter((endpoint) => !absent.includes(endpoint));
  mountAll(app, deps, mounted);
  const route = { path: receiveStripeWebhook.path };
  const listener: RequestListener = (request, response) => {
    if (request.url !== route.path || request.method !== 'POST') return app(request, response);
    // As Express does: a trace is named after it.
    Reflect.set(request, 'route', route);
    receive(request, response);
  };
  return { app, listener };
}

/** What is served at `OPERATIONS_PORT`: nothing that a product or a buyer needs. */
export function createOperationsApp(deps: AppDeps, meter: RequestMeter): Express {
  const app = newApp(deps);
  app.use(observeRequests(createObserver(deps, meter), createRouteFinder(endpoints)));
  app.use(queueScreen.path, createQueueScreen(deps));
  mountAll(app, deps, [...onBothPorts, ...ofOperations]);
  return app;
}
