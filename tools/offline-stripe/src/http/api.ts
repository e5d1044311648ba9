import { setTimeout as sleep } from 'node:timers/promises';

import express, { type Request, type Response, type Router } from 'express';
import qs from 'qs';

import { errorBody, invalid, StripeApiError } from '../errors.ts';
import { newId } from '../ids.ts';
import { API_VERSION } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import type { Route } from './define-route.ts';
import { expandPaths } from './expand.ts';
import { breakAnswer, type Fault, type Faults } from './faults.ts';
import type { IdempotencyStore, KeyedRequest } from './idempotency.ts';
import { z } from 'zod';

const QS_LIMITS = { depth: 8, arrayLimit: 1_000, parameterLimit: 10_000 };
const expandParam = z.object({ expand: z.array(z.string()).catch([]) });

export interface ApiDeps {
  world: World;
  routes: readonly Route[];
  faults: Faults;
  idempotency: IdempotencyStore;
  /** Lets deliveries and timers see what a request has done, at once: a webhook may well overtake the answer. */
  afterChange(): void;
}

interface Answer {
  status: number;
  body: string;
}

/** The key of `Authorization: Bearer sk_test_…` (or basic auth), or Stripe's 401. */
function authenticate(header: string | undefined): string {
  const [scheme = '', credentials = ''] = (header ?? '').split(' ');
  const isBasic = scheme.toLowerCase() === 'basic';
  const key = isBasic
    ? (Buffer.from(credentials, 'base64').toString('utf8').split(':')[0] ?? '')
    : credentials;
  if (key === '') {
    throw new StripeApiError({
      status: 401,
      message:
        "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
    });
  }
  if (!/^(sk|rk)_test_\w+$/.test(key)) {
    throw new StripeApiError({ status: 401, message: `Invalid API Key provided: ${key.slice(0, 8)}****` });
  }
  return key;
}

function parametersOf(request: Request, rawBody: string): unknown {
  const query = qs.parse(request.originalUrl.split('?')[1] ?? '', QS_LIMITS);
  if (rawBody === '') return query;
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('application/x-www-form-urlencoded')) {
    throw invalid('Invalid request: the body must be sent as application/x-www-form-urlencoded.');
  }
  return { ...query, ...qs.parse(rawBody, QS_LIMITS) };
}

function render(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

function failure(error: unknown, requestId: string, world: World): Answer {
  if (error instanceof StripeApiError)
    return { status: error.status, body: render(errorBody(error, requestId)) };
  world.logger.warn('request_failed', {
    request_id: requestId,
    error: error instanceof Error ? error.stack : 'unknown',
  });
  const unexpected = new StripeApiError({
    status: 500,
    type: 'api_error',
    message: 'An unknown error occurred.',
  });
  return { status: 500, body: render(errorBody(unexpected, requestId)) };
}

function faultAnswer(mode: '429' | '500', requestId: string): Answer {
  const error =
    mode === '429'
      ? new StripeApiError({
          status: 429,
          code: 'rate_limit',
          message:
            'Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.',
        })
      : new StripeApiError({
          status: 500,
          type: 'api_error',
          message: 'An error occurred with our connection to Stripe.',
        });
  return { status: error.status, body: render(errorBody(error, requestId)) };
}

function execute(
  deps: ApiDeps,
  route: Route,
  request: Request,
  context: { requestId: string; key: string | null },
): Answer {
  const { world } = deps;
  const rawBody = typeof request.body === 'string' ? request.body : '';
  world.currentRequest = { id: context.requestId, idempotencyKey: context.key };
  try {
    const params = parametersOf(request, rawBody);
    const id = request.params['id'];
    const answer = route.run(world, typeof id === 'string' ? id : '', params);
    const paths = expandParam.parse(params).expand;
    return {
      status: 200,
      body: render(paths.length === 0 ? answer : expandPaths(world.tables, answer, paths)),
    };
  } catch (error) {
    return failure(error, context.requestId, world);
  } finally {
    world.currentRequest = null;
  }
}

function write(response: Response, answer: Answer, requestId: string): void {
  if (response.destroyed) return;
  response
    .status(answer.status)
    .set({
      'request-id': requestId,
      'stripe-version': API_VERSION,
      ...(answer.status === 429 ? { 'stripe-rate-limited-reason': 'global-rate' } : {}),
    })
    .type('application/json')
    .send(answer.body);
}

async function answerRequest(
  deps: ApiDeps,
  run: (requestId: string) => Answer,
  response: Response,
  context: { requestId: string; fault: Fault | null; keyed: KeyedRequest | null },
): Promise<void> {
  const { requestId, fault, keyed } = context;
  if (fault?.mode === 'hang' || fault?.mode === 'reset' || fault?.mode === 'html') {
    if (keyed !== null) deps.idempotency.end(keyed, null);
    breakAnswer(response, fault.mode);
    return;
  }
  const answer =
    fault?.mode === '429' || fault?.mode === '500' ? faultAnswer(fault.mode, requestId) : run(requestId);
  deps.afterChange();
  if (fault?.mode === 'delay')
    await sleep(fault.min_ms + Math.random() * Math.max(0, fault.max_ms - fault.min_ms));
  const isKept = answer.status < 400 || answer.status >= 500;
  if (keyed !== null) deps.idempotency.end(keyed, isKept ? { ...answer, requestId } : null);
  write(response, answer, requestId);
}

function handle(
  deps: ApiDeps,
  route: Route,
  request: Request,
  response: Response,
): Promise<void> | undefined {
  const requestId = newId('req');
  try {
    const apiKey = authenticate(request.headers.authorization);
    const key = request.get('idempotency-key') ?? null;
    const fault = deps.faults.take(request.method, request.path);
    const rawBody = typeof request.body === 'string' ? request.body : '';
    const isKeyed = key !== null && request.method === 'POST' && fault?.mode !== '429';
    const keyed = isKeyed ? { apiKey, key, method: request.method, path: request.path, rawBody } : null;
    const known = keyed === null ? null : deps.idempotency.begin(keyed);
    if (known !== null) {
      response.set({ 'idempotent-replayed': 'true', 'original-request': known.request_id });
      write(response, known, requestId);
      return undefined;
    }
    return answerRequest(deps, (id) => execute(deps, route, request, { requestId: id, key }), response, {
      requestId,
      fault,
      keyed,
    });
  } catch (error) {
    write(response, failure(error, requestId, deps.world), requestId);
    return undefined;
  }
}

/** Stripe's API: the route table behind authentication, faults and idempotency. */
export function createApi(deps: ApiDeps): Router {
  const router = express.Router({ caseSensitive: true, strict: true });
  router.use('/v1', express.text({ type: () => true, limit: '2mb' }));
  for (const route of deps.routes) {
    const handler = (request: Request, response: Response): Promise<void> | undefined =>
      handle(deps, route, request, response);
    if (route.method === 'GET') router.get(route.path, handler);
    else if (route.method === 'POST') router.post(route.path, handler);
    else router.delete(route.path, handler);
  }
  router.use((request: Request, response: Response) => {
    const requestId = newId('req');
    const unknown = new StripeApiError({
      status: 404,
      message: `Unrecognized request URL (${request.method}: ${request.path}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.`,
    });
    write(response, failure(unknown, requestId, deps.world), requestId);
  });
  return router;
}
