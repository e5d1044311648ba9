import { createHash, timingSafeEqual } from 'node:crypto';
import { ServiceError } from '@billing/domain';
import { createQueueGauges } from '@billing/platform';
import express from 'express';
import type { Router } from 'express';
import type { AppDeps } from '../deps.ts';
import { methodNotAllowed } from '../http/method-not-allowed.ts';
import { checkReadiness } from './readiness.ts';

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

function assertMetricsToken(expected: string | undefined, authorization: string | undefined): void {
  if (expected === undefined) return;
  if (authorization === undefined)
    throw new ServiceError('missing_api_key', 'Send the header Authorization: Bearer <METRICS_TOKEN>.');
  if (!timingSafeEqual(digestOf(authorization), digestOf(`Bearer ${expected}`)))
    throw new ServiceError('invalid_api_key', 'Use the METRICS_TOKEN of this service.');
}

/** Health and metrics (`/healthz`, `/live`, `/ready`, `/metrics`). */
export function createOperationsRouter(deps: AppDeps): Router {
  const router = express.Router({ caseSensitive: true });
  const queueGauges = createQueueGauges({ ...deps, queues: [deps.stripeEvents, deps.maintenance] });
  router.get('/healthz', (_request, response) => void response.json({ status: 'healthy' }));
  router.get('/live', (_request, response) => void response.json({ status: 'alive' }));
  router.get('/ready', async (_request, response) => {
    const { isReady, checks } = await checkReadiness(deps);
    response.status(isReady ? 200 : 503).json({ status: isReady ? 'ready' : 'not ready', checks });
  });
  router.get('/metrics', async (request, response) => {
    assertMetricsToken(deps.config.metricsToken, request.headers.authorization);
    await queueGauges.refresh();
    const text = await deps.renderMetrics().finally(() => queueGauges.reset());
    response.setHeader('content-type', deps.metrics.registry.contentType);
    response.end(text);
  });
  router.all(['/healthz', '/live', '/ready', '/metrics'], methodNotAllowed('GET'));
  return router;
}
