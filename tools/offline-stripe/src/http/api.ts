import { setTimeout as sleep } from 'node:timers/promises';

import express, { type NextFunction, type Request, type Response, type Router } from 'express';
import qs from 'qs';
import { z } from 'zod';

import { errorBody, invalid, missingPermission, StripeApiError } from '../errors.ts';
import { newId } from '../ids.ts';
import { apiVersion } from '../stripe-objects.ts';
import type { World } from '../world.ts';
import type { Route } from './define-route.ts';
import { expandPaths } from './expand.ts';
import { breakAnswer, isBroken, isExecuted, type Fault, type Faults } from './faults.ts';
import type { IdempotencyStore, KeyedRequest } from './idempotency.ts';

const qsLimits = { depth: 8, arrayLimit: 1_000, parameterLimit: 10_000 };
const expandParam = z.object({ expand: z.array(z.string()).catch([]) });

export type ApiDeps = {
  world: World;
  routes: readonly Route[];
  faults: Faults;
  idempotency: IdempotencyStore;
  /** Called before a request is answered: delivers its events and sets the timers; a webhook may overtake the answer. */
  afterChange(): void;
};

type Answer = { status: number; body: string };

/** One request to a known route. */
type Call = {
  id: string;
  request: Request;
  response: Response;
  rawBody: string;
  idempotencyKey: string | null;
  /** Null: its answer is not remembered. */
  keyed: KeyedRequest | null;
  fault: Fault | null;
};

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
  const query = qs.parse(request.originalUrl.split('?')[1] ?? '', qsLimits);
  if (rawBody === '') return query;
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('application/x-www-form-urlencoded')) {
    throw invalid('Invalid request: the body must be sent as application/x-www-form-urlencoded.');
  }
  return { ...query, ...qs.parse(rawBody, qsLimits) };
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

const rateLimited = new StripeApiError({
  status: 429,
  code: 'rate_limit',
  message:
    'Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.',
});
const outOfOrder = new StripeApiError({
  status: 500,
  type: 'api_error',
  message: 'An error occurred with our connection to Stripe.',
});

function execute(world: World, route: Route, call: Call): Answer {
  world.currentRequest = { id: call.id, idempotencyKey: call.idempotencyKey };
  try {
    const params = parametersOf(call.request, call.rawBody);
    const id = call.request.params['id'];
    // One request happens in one second, however slow this machine is.
    const answer = world.clock.runAt(world.clock.now(), () =>
      route.run(world, typeof id === 'string' ? id : '', params),
    );
    const paths = expandParam.parse(params).expand;
    return {
      status: 200,
      body: render(paths.length === 0 ? answer : expandPaths(world.tables, answer, paths)),
    };
  } catch (error) {
    return failure(error, call.id, world);
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
      'stripe-version': apiVersion,
      ...(answer.status === 429 ? { 'stripe-rate-limited-reason': 'global-rate' } : {}),
    })
    .type('application/json')
    .send(answer.body);
}

async function answerCall(deps: ApiDeps, route: Route, call: Call): Promise<void> {
  const { id, response, fault, keyed } = call;
  if (isBroken(fault)) {
    const lost = isExecuted(fault) ? execute(deps.world, route, call) : null;
    if (keyed !== null) deps.idempotency.end(keyed, lost === null ? null : { ...lost, requestId: id });
    if (lost !== null) deps.afterChange();
    breakAnswer(response, fault, lost?.body ?? '');
    return;
  }
  const refusal = fault?.mode === '429' ? rateLimited : fault?.mode === '500' ? outOfOrder : null;
  const answer = refusal === null ? execute(deps.world, route, call) : failure(refusal, id, deps.world);
  if (fault?.mode === 'delay') {
    deps.afterChange();
    await sleep(fault.min_ms + Math.random() * Math.max(0, fault.max_ms - fault.min_ms));
  }
  // A declined card was tried: that is done, not refused.
  const isRemembered = answer.status < 400 || answer.status === 402 || answer.status >= 500;
  if (keyed !== null) deps.idempotency.end(keyed, isRemembered ? { ...answer, requestId: id } : null);
  // With the answer to the key: after a kill both are there, or neither.
  deps.afterChange();
  write(response, answer, id);
}

/** Answers from memory where the idempotency key is known, else executes the request. */
function handle(
  deps: ApiDeps,
  route: Route,
  exchange: Pick<Call, 'request' | 'response'>,
): Promise<void> | undefined {
  const { request, response } = exchange;
  const id = newId('req');
  try {
    const apiKey = authenticate(request.headers.authorization);
    const key = request.get('idempotency-key') ?? null;
    const fault = deps.faults.take(request.method, request.path);
    if (fault?.mode === 'permission' && apiKey.startsWith('rk_'))
      throw missingPermission(apiKey, fault.permission);
    const rawBody = typeof request.body === 'string' ? request.body : '';
    const isKeyed = key !== null && request.method === 'POST' && fault?.mode !== '429';
    const keyed = isKeyed ? { apiKey, key, method: request.method, path: request.path, rawBody } : null;
    const known = keyed === null ? null : deps.idempotency.begin(keyed);
    if (known === null)
      return answerCall(deps, route, { ...exchange, id, rawBody, idempotencyKey: key, keyed, fault });
    if (isBroken(fault)) {
      breakAnswer(response, fault, known.body);
      return undefined;
    }
    response.set({ 'idempotent-replayed': 'true', 'original-request': known.request_id });
    write(response, known, id);
  } catch (error) {
    write(response, failure(error, id, deps.world), id);
  }
  return undefined;
}

/** Stripe's API: the routes behind authentication, faults and idempotency. */
export function createApi(deps: ApiDeps): Router {
  const router = express.Router({ caseSensitive: true, strict: true });
  router.use('/v1', express.text({ type: () => true, limit: '2mb' }));
  for (const route of deps.routes) {
    const handler = (request: Request, response: Response, next: NextFunction): Promise<void> | undefined => {
      // `/v1/customers/search` is an address of its own, not the customer `search`.
      if (request.params['id'] !== 'search') return handle(deps, route, { request, response });
      next();
      return undefined;
    };
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
