import { createQueueGauges, refuseMetrics } from '@billing/platform';
import express from 'express';
import type { Router } from 'express';
import type { AppDeps } from '../deps.ts';
import { methodNotAllowed } from '../http/method-not-allowed.ts';
import { checkReadiness } from './readiness.ts';

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
    const refusal = refuseMetrics(deps.config.metricsToken, request.headers.authorization);
    if (refusal !== null) throw refusal;
    await queueGauges.refresh();
    const text = await deps.renderMetrics().finally(() => queueGauges.reset());
    response.setHeader('content-type', deps.metrics.registry.contentType);
    response.end(text);
  });
  router.all(['/healthz', '/live', '/ready', '/metrics'], methodNotAllowed('GET'));
  return router;
}
