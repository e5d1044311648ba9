import { id, ServiceError, toDryRunOut } from '@billing/domain';
import { refuseMetrics, requestIdOf } from '@billing/platform';
import type { JobQueue } from '@billing/platform';
import { tryChange } from '@billing/store';
import type { Express, Request, RequestHandler, Response } from 'express';
import { z } from 'zod';
import { refuseForeignOrigin } from '../console/check-origin.ts';
import { requireSignedIn, signedInOf } from '../console/require-signed-in.ts';
import { actorOf, onlyProjectOf, requireProjectOfBody, requireRole } from './authenticate-admin.ts';
import { projectOf, requireProjectKey, requireSameProject } from './authenticate-project.ts';
import { allowedMethods, pathParameterNames, routePatternOf } from './define-endpoint.ts';
import type { Endpoint, EndpointDeps, Reply, UntypedInput } from './define-endpoint.ts';
import { createJsonReader, parseBody, parseParams, parseQuery, readJson, refuseQuery } from './parse.ts';

/**
 * Mounts what has a handler; every other method of these addresses is 405 with `Allow`, those of endpoints that were
 * mounted by hand before included. Admin endpoints stand behind `requireAdmin`.
 */
export function mountEndpoints(app: Express, deps: EndpointDeps, endpoints: readonly Endpoint[]): void {
  for (const path of new Set(endpoints.map((endpoint) => endpoint.path))) {
    const route = app.route(routePatternOf(path));
    const here = endpoints.filter((endpoint) => endpoint.path === path);
    for (const endpoint of here)
      if (endpoint.handle !== undefined) route[endpoint.method](handlersOf(deps, endpoint));
    route.all(methodNotAllowed(here));
  }
}

function handlersOf(deps: EndpointDeps, endpoint: Endpoint): RequestHandler[] {
  const { access, body, path } = endpoint;
  const paramsSchema = z.object(Object.fromEntries(pathParameterNames(path).map((name) => [name, id])));
  const handle: RequestHandler = async (request, response) => {
    const input = readInput(endpoint, paramsSchema, { request, response });
    const reply = isDryRun(endpoint, input)
      ? await dryRun(deps, endpoint, input)
      : await answer(deps, endpoint, input);
    if (reply !== undefined) send(response, reply, endpoint);
  };
  if (access === 'metrics') return [requireMetricsToken(deps), handle];
  if (access === 'console') return [requireSignedIn(deps), handle];
  if (access === 'sign-in') return [fromOwnPages(deps), readJson, handle];
  if (typeof access === 'string') return [handle];
  const read = body?.maxBytes === undefined ? readJson : createJsonReader(body.maxBytes);
  // Who may not do this learns nothing about bodies.
  if ('admin' in access) return [requireRole(access), read, handle];
  return [requireProjectKey(deps, access.project), ...(body === undefined ? [] : [read]), handle];
}

const asksForNewest = ({ header }: UntypedInput): boolean =>
  /(^|,)\s*no-cache\s*(,|$)/i.test(header('cache-control') ?? '');

/** From a replica where the endpoint allows it, and one is near enough; the header then says as of when. */
async function answer(
  deps: EndpointDeps,
  endpoint: Endpoint,
  input: UntypedInput,
): Promise<Reply | undefined> {
  if (endpoint.readsReplica !== true || asksForNewest(input)) return endpoint.handle?.(deps, input);
  const { result, asOf } = await deps.replicas.read(async (reader) =>
    endpoint.handle?.({ ...deps, reader }, input),
  );
  if (result === undefined || asOf === null) return result;
  return { ...result, headers: { ...result.headers, 'x-data-as-of': new Date(asOf).toISOString() } };
}

const namesDryRun = z.object({ dry_run: z.literal(true) });

const isDryRun = ({ takesDryRun }: Endpoint, { body, query }: UntypedInput): boolean =>
  takesDryRun === true && (namesDryRun.safeParse(body).success || namesDryRun.safeParse(query).success);

const nothing = (): Promise<void> => Promise.resolve();

/** Handles the call on a database that keeps nothing, and tells nobody of what was not done. */
async function dryRun(deps: EndpointDeps, endpoint: Endpoint, input: UntypedInput): Promise<Reply> {
  const cache = { ...deps.cache, invalidate: async () => [] };
  const keys = { ...deps.keys, forget: nothing, switchProject: nothing };
  const maintenance: JobQueue = { ...deps.maintenance, add: () => Promise.resolve('duplicate') };
  const tried = await tryChange(deps.database, async (database) =>
    endpoint.handle?.({ ...deps, database, cache, keys, maintenance }, input),
  );
  return { status: 200, body: toDryRunOut(tried) };
}

/** Refuses a query where nothing reads it and something changes, and a `project_id` that is not the key's. */
function readInput(
  { method, query, body, ...endpoint }: Endpoint,
  paramsSchema: z.ZodType<object>,
  { request, response }: { request: Request; response: Response },
): UntypedInput {
  const params = parseParams(paramsSchema, request);
  if (query === undefined && method !== 'get') refuseQuery(request);
  const input = {
    params,
    query: query === undefined ? {} : parseQuery(query, request),
    body: body === undefined ? undefined : parseBody(body.schema, request, body.entries),
    header: (name: string) => request.get(name),
  };
  const { access } = endpoint;
  if (access === 'console') return { ...input, signedIn: signedInOf(response) };
  if (access === 'sign-in') return { ...input, login: { area: 'console', request, response } };
  if (typeof access === 'string') return input;
  if ('admin' in access) {
    const onlyProject = onlyProjectOf(response);
    if (access.limitedBy === 'body') requireProjectOfBody(onlyProject, input.body);
    return { ...input, actor: actorOf(response), onlyProject };
  }
  const project = projectOf(response);
  for (const part of [params, input.query, input.body]) requireSameProject(project, part);
  return { ...input, project, actor: { name: project.keyId, requestId: requestIdOf(response) } };
}

/** The body; null: none. */
function textOf(
  reply: Reply,
  { contentType }: Endpoint['answers'][0],
): { text: string; type: string } | null {
  const json = 'application/json';
  if ('text' in reply) return { text: reply.text, type: contentType ?? json };
  return reply.body === undefined ? null : { text: JSON.stringify(reply.body), type: json };
}

/** `end` with the finished text: Express's `json` would look at the settings of the app and the request again. */
function send(response: Response, reply: Reply, { answers: [first] }: Endpoint): void {
  response.status(reply.status ?? first.status);
  const finished = textOf(reply, first);
  if (finished !== null) {
    response.setHeader('content-type', `${finished.type}; charset=utf-8`);
    response.setHeader('content-length', Buffer.byteLength(finished.text));
  }
  // A handler may know the type better.
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
  response.end(finished?.text);
}

function requireMetricsToken({ config, authFailures }: EndpointDeps): RequestHandler {
  return (request, response, next) => {
    const { authorization } = request.headers;
    const refusal = refuseMetrics(config.metricsToken, authFailures, { authorization, request, response });
    if (refusal !== null) throw refusal;
    next();
  };
}

const fromOwnPages =
  ({ config }: EndpointDeps): RequestHandler =>
  (request, _response, next) => {
    refuseForeignOrigin(request, config.console);
    next();
  };

/** For `route.all(…)` after a route's methods: 405 with `Allow` (RFC 9110, 15.5.6). */
export function methodNotAllowed(here: readonly Pick<Endpoint, 'method'>[]): RequestHandler {
  const allow = allowedMethods(here).join(', ');
  return (_request, response) => {
    response.setHeader('allow', allow);
    throw new ServiceError('method_not_allowed', `Use one of the methods ${allow}.`);
  };
}
