import { projectEvent, ServiceError, stripeEventJob } from '@billing/domain';
import type { JobQueue } from '@billing/platform';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { Router } from 'express';
import type { Express, RequestHandler, Response } from 'express';
import type { AppDeps } from '../deps.ts';
import { requireOperator } from '../http/authenticate-admin.ts';
import type { AdminKeyDeps } from '../http/authenticate-admin.ts';
import { defineEndpoint } from '../http/define-endpoint.ts';
import { methodNotAllowed } from '../http/mount-endpoints.ts';
import { queueScreenPath } from '../http/observe-requests.ts';

export const queueScreen = defineEndpoint({
  method: 'get',
  path: queueScreenPath,
  operationId: 'getQueueScreen',
  tag: 'Operations',
  summary: 'The queues, for operators',
  description: 'A screen for the browser: what waits, runs and failed. Read-only.',
  access: 'queue-screen',
  answers: [{ status: 200, description: 'A page.', contentType: 'text/html' }],
  errors: [],
});

/** The screen's own assets and nothing else; it sets styles inline. */
const screenPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const answerDeadlineMs = 5_000;

/** The part of a job's data that is shown: the projection, also where a whole event was enqueued. */
function showJobData(data: unknown): unknown {
  const job = stripeEventJob.safeParse(data);
  if (!job.success) return data;
  try {
    return { event: projectEvent(job.data.event), received_at: job.data.received_at };
  } catch {
    return { event: { id: job.data.event.id, type: job.data.event.type }, received_at: job.data.received_at };
  }
}

function toAdapter(queue: JobQueue): BullMQAdapter {
  const adapter = new BullMQAdapter(queue.bull, { readOnlyMode: true });
  adapter.setFormatter('data', showJobData);
  return adapter;
}

/** bull-board's page loads a font from another host; here it must load nothing from elsewhere. */
function withoutForeignAssets(response: Response): void {
  const render = response.render.bind(response);
  const renderOwn = (view: string, options: object): void =>
    render(view, options, (error: Error | null, html: string) => {
      if (error !== null) throw error;
      response.send(html.replaceAll(/<link\b[^>]*\bhref="https?:[^>]*>/g, ''));
    });
  Object.assign(response, { render: renderOwn });
}

const unavailable = (): ServiceError =>
  new ServiceError('queue_unavailable', 'Try again in a moment: the queue cannot be reached.');

/** BullMQ waits for Redis for as long as it takes; a browser should not. */
function refuseWithoutRedis(queues: readonly JobQueue[]): RequestHandler {
  return (_request, response, next) => {
    if (!queues.every((queue) => queue.ready())) throw unavailable();
    const timer = setTimeout(() => {
      if (!response.headersSent) next(unavailable());
    }, answerDeadlineMs);
    response.once('close', () => clearTimeout(timer));
    next();
  };
}

function createBoard(queues: readonly JobQueue[]): ExpressAdapter {
  const board = new ExpressAdapter();
  board.setBasePath(queueScreenPath);
  createBullBoard({
    queues: queues.map(toAdapter),
    serverAdapter: board,
    options: { uiConfig: { boardTitle: 'Billing queues', hideRedisDetails: true } },
  });
  // Its own handler shows a stack in development; rethrown, errors end where all errors of the API do.
  board.setErrorHandler((error) => {
    throw error;
  });
  return board;
}

/** The queue screen for operators, to be mounted at its path: it shows, and changes nothing. */
export function createQueueScreen(
  deps: AdminKeyDeps & Pick<AppDeps, 'stripeEvents' | 'maintenance' | 'usageEvents'>,
): Router {
  const queues = [deps.stripeEvents, deps.maintenance, deps.usageEvents];
  const board = createBoard(queues);
  const router = Router({ caseSensitive: true });
  router.use(requireOperator(deps));
  router.use((request, response, next) => {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return methodNotAllowed([queueScreen])(request, response, next);
    response.setHeader('content-security-policy', screenPolicy);
    withoutForeignAssets(response);
    next();
  });
  router.use('/api', refuseWithoutRedis(queues));
  const screen: Express = board.getRouter();
  screen.disable('x-powered-by');
  router.use(screen);
  return router;
}
