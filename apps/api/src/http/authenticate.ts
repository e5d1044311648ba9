import { createHash, timingSafeEqual } from 'node:crypto';
import { ServiceError } from '@billing/domain';
import type { ApiKeyRecord } from '@billing/store';
import type { Request, RequestHandler, Response } from 'express';
import type { AppDeps } from '../deps.ts';

export type Scope = 'read' | 'checkout';
export type Admin = { name: string };

/** The token of `Authorization: Bearer …` (RFC 6750); null: none was sent. */
function bearerToken(authorization: string | undefined): string | null {
  if (authorization === undefined) return null;
  const space = authorization.indexOf(' ');
  if (space !== 6 || authorization.slice(0, 6).toLowerCase() !== 'bearer') return null;
  const token = authorization.slice(7).trim();
  return token === '' ? null : token;
}

function missingKey(what: string): ServiceError {
  return new ServiceError('missing_api_key', `Send the header Authorization: Bearer <${what}>.`);
}

const invalidKey = (): ServiceError =>
  new ServiceError('invalid_api_key', 'Use an API key that is known, not revoked and not expired.');

/**
 * Who asks: the record of the project API key in `Authorization`. Throws `missing_api_key`,
 * `invalid_api_key`, `insufficient_scope`, `project_inactive`.
 */
export async function authenticateProject(
  deps: Pick<AppDeps, 'keys' | 'clock'>,
  request: Pick<Request, 'headers'>,
  scope: Scope,
): Promise<ApiKeyRecord> {
  const token = bearerToken(request.headers.authorization);
  if (token === null) throw missingKey('project API key');
  const known = deps.keys.peek(token);
  const record = known === undefined ? await deps.keys.find(token) : known;
  if (record === null) throw invalidKey();
  if (record.expiresAt !== null && record.expiresAt <= deps.clock()) throw invalidKey();
  if (!record.scopes.includes(scope))
    throw new ServiceError('insufficient_scope', `Use an API key that has the scope "${scope}".`);
  if (!record.isProjectActive)
    throw new ServiceError('project_inactive', 'An administrator can switch the project on again.');
  return record;
}

/**
 * As `authenticateProject`, without waiting; null: the key is not at hand or may not do this, and
 * `authenticateProject` finds out more.
 */
export function peekProject(
  deps: Pick<AppDeps, 'keys' | 'clock'>,
  request: Pick<Request, 'headers'>,
  scope: Scope,
): ApiKeyRecord | null {
  const token = bearerToken(request.headers.authorization);
  const record = token === null ? undefined : deps.keys.peek(token);
  if (record === undefined || !record.isProjectActive || !record.scopes.includes(scope)) return null;
  return record.expiresAt !== null && record.expiresAt <= deps.clock() ? null : record;
}

// What a request was found to be allowed, kept beside the response: Express's `locals` has no types.
const projects = new WeakMap<Response, ApiKeyRecord>();
const admins = new WeakMap<Response, Admin>();

/** Lets only a project's API key of this scope pass; then `projectOf(response)` says whose. */
export function requireProjectKey(deps: Pick<AppDeps, 'keys' | 'clock'>, scope: Scope): RequestHandler {
  return async (request, response, next) => {
    projects.set(response, await authenticateProject(deps, request, scope));
    next();
  };
}

export function projectOf(response: Response): ApiKeyRecord {
  const record = projects.get(response);
  if (record === undefined) throw new Error('projectOf was called before requireProjectKey');
  return record;
}

/** A `project_id` in a request is optional, but must be the key's. */
export function requireSameProject(record: ApiKeyRecord, projectId: string | undefined): void {
  if (projectId !== undefined && projectId !== record.projectId)
    throw new ServiceError('project_mismatch', 'Leave project_id out, or use the project of the API key.');
}

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Finds the admin whose secret this is; every secret is compared, each in constant time. */
export function adminOfSecret(
  adminKeys: readonly { name: string; secret: string }[],
  secret: string,
): Admin | null {
  const given = digestOf(secret);
  let found: Admin | null = null;
  for (const { name, secret: expected } of adminKeys)
    if (timingSafeEqual(given, digestOf(expected))) found = { name };
  return found;
}

/** Lets only an admin secret pass; then `adminOf(response)` says who it is. */
export function requireAdmin(deps: Pick<AppDeps, 'config'>): RequestHandler {
  return (request, response, next) => {
    const token = bearerToken(request.headers.authorization);
    if (token === null) throw missingKey('admin secret');
    const admin = adminOfSecret(deps.config.adminKeys, token);
    if (admin === null)
      throw new ServiceError('invalid_api_key', 'Use a secret that ADMIN_API_KEY of this service names.');
    admins.set(response, admin);
    next();
  };
}

/** Name and secret of `Authorization: Basic …` (RFC 7617); null: none was sent. */
function basicCredentials(authorization: string | undefined): { name: string; secret: string } | null {
  const encoded = /^basic +([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return null;
  const decoded = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon < 0 ? null : { name: decoded.slice(0, colon), secret: decoded.slice(colon + 1) };
}

/** As `requireAdmin`, for a browser: it asks for a name of `ADMIN_API_KEY` and its secret. */
export function requireOperator(deps: Pick<AppDeps, 'config'>): RequestHandler {
  return (request, response, next) => {
    const given = basicCredentials(request.headers.authorization);
    const admin = given === null ? null : adminOfSecret(deps.config.adminKeys, given.secret);
    if (admin === null || admin.name !== given?.name) {
      response.setHeader('www-authenticate', 'Basic realm="Billing queues", charset="UTF-8"');
      if (given === null)
        throw new ServiceError('missing_api_key', 'Log in with an admin name and its secret.');
      throw new ServiceError('invalid_api_key', 'Use a name of ADMIN_API_KEY with its secret.');
    }
    admins.set(response, admin);
    next();
  };
}

export function adminOf(response: Response): Admin {
  const admin = admins.get(response);
  if (admin === undefined) throw new Error('adminOf was called before requireAdmin');
  return admin;
}
