import { ServiceError } from '@billing/domain';
import type { ApiKeyScope } from '@billing/domain';
import type { ApiKeyRecord } from '@billing/store';
import type { Request, RequestHandler, Response } from 'express';
import type { AppDeps } from '../deps.ts';

export type ProjectKeyDeps = Pick<AppDeps, 'keys' | 'clock' | 'authFailures' | 'rateLimiter'>;

/** The token of `Authorization: Bearer …` (RFC 6750); null: none was sent. */
export function bearerToken(authorization: string | undefined): string | null {
  if (authorization === undefined) return null;
  const space = authorization.indexOf(' ');
  if (space !== 6 || authorization.slice(0, 6).toLowerCase() !== 'bearer') return null;
  const token = authorization.slice(7).trim();
  return token === '' ? null : token;
}

export function missingKey(what: string): ServiceError {
  return new ServiceError('missing_api_key', `Send the header Authorization: Bearer <${what}>.`);
}

const invalidKey = (): ServiceError =>
  new ServiceError('invalid_api_key', 'Use an API key that is known, not revoked and not expired.');

export const tooManyFailures = (waitSeconds: number): ServiceError =>
  new ServiceError(
    'rate_limited',
    'Too many wrong keys came from this address: wait, then use a right one.',
    {
      retryable: true,
      retryAfterSeconds: waitSeconds,
    },
  );

/** The record of a key, looked up if need be; for an address that sent many wrong keys no unknown key is looked up. */
async function findRecord(
  { keys, clock, authFailures }: ProjectKeyDeps,
  token: string,
  address: string | undefined,
): Promise<ApiKeyRecord> {
  const cached = keys.peek(token);
  if (cached === undefined && !keys.isKnown(token)) {
    const waitSeconds = authFailures.waitSeconds(address);
    if (waitSeconds > 0) throw tooManyFailures(waitSeconds);
  }
  const record = cached ?? (await keys.find(token));
  if (record !== null && (record.expiresAt === null || record.expiresAt > clock())) return record;
  authFailures.failed(address);
  throw invalidKey();
}

/**
 * Counts a request of this key, where a limit is set, and says in `RateLimit-*` (draft-ietf-httpapi-ratelimit-headers)
 * what is left. Throws `rate_limited`.
 */
async function limitRate(
  { rateLimiter }: ProjectKeyDeps,
  record: ApiKeyRecord,
  response: Response,
): Promise<void> {
  if (rateLimiter === null) return;
  const { isAllowed, limit, remaining, resetMs, retryAfterMs } = await rateLimiter.take(record.keyId);
  response.setHeader('ratelimit-limit', String(limit));
  response.setHeader('ratelimit-remaining', String(remaining));
  response.setHeader('ratelimit-reset', String(Math.ceil(resetMs / 1_000)));
  if (isAllowed) return;
  throw new ServiceError('rate_limited', `Send at most ${limit} requests a second with this key.`, {
    retryable: true,
    retryAfterSeconds: retryAfterMs / 1_000,
  });
}

/**
 * Who asks: the record of the project API key in `Authorization`. Throws `missing_api_key`,
 * `invalid_api_key`, `insufficient_scope`, `project_inactive`, `rate_limited`.
 */
export async function authenticateProject(
  deps: ProjectKeyDeps,
  { request, response }: { request: Request; response: Response },
  scope: ApiKeyScope,
): Promise<ApiKeyRecord> {
  const token = bearerToken(request.headers.authorization);
  if (token === null) throw missingKey('project API key');
  const record = await findRecord(deps, token, request.ip);
  await limitRate(deps, record, response);
  if (!record.scopes.includes(scope))
    throw new ServiceError('insufficient_scope', `Use an API key that has the scope "${scope}".`);
  if (!record.isProjectActive)
    throw new ServiceError('project_inactive', 'An administrator can switch the project on again.');
  return record;
}

/**
 * As `authenticateProject`, without waiting. Null: the key is not in memory, or may not do this, or its requests are
 * limited, and `authenticateProject` has to find out.
 */
export function peekProject(
  deps: Pick<AppDeps, 'keys' | 'clock' | 'rateLimiter'>,
  request: Pick<Request, 'headers'>,
  scope: ApiKeyScope,
): ApiKeyRecord | null {
  if (deps.rateLimiter !== null) return null;
  const token = bearerToken(request.headers.authorization);
  const record = token === null ? undefined : deps.keys.peek(token);
  if (record === undefined || !record.isProjectActive || !record.scopes.includes(scope)) return null;
  return record.expiresAt !== null && record.expiresAt <= deps.clock() ? null : record;
}

// Beside the response, as Express's `locals` has no types.
const projects = new WeakMap<Response, ApiKeyRecord>();

/** Lets only a project's API key of this scope pass; `projectOf(response)` is then its record. */
export function requireProjectKey(deps: ProjectKeyDeps, scope: ApiKeyScope): RequestHandler {
  return async (request, response, next) => {
    projects.set(response, await authenticateProject(deps, { request, response }, scope));
    next();
  };
}

export function projectOf(response: Response): ApiKeyRecord {
  const record = projects.get(response);
  if (record === undefined) throw new Error('projectOf was called before requireProjectKey');
  return record;
}

/** A `project_id` in a part of a request (path, query, body) is optional, but must be the key's. Throws `project_mismatch`. */
export function requireSameProject({ projectId }: ApiKeyRecord, part: unknown): void {
  if (typeof part !== 'object' || part === null || !('project_id' in part)) return;
  if (part.project_id !== undefined && part.project_id !== projectId)
    throw new ServiceError('project_mismatch', 'Leave project_id out, or use the project of the API key.');
}
