import { createHash, timingSafeEqual } from 'node:crypto';
import { ServiceError } from '@billing/domain';
import type { Actor } from '@billing/store';
import type { RequestHandler, Response } from 'express';
import type { AppDeps } from '../deps.ts';
import { bearerToken, missingKey, tooManyFailures } from './authenticate-project.ts';
import { requestIdOf } from '@billing/platform';

export type Admin = { name: string };
export type AdminKeyDeps = Pick<AppDeps, 'config' | 'authFailures'>;

// Beside the response, as Express's `locals` has no types.
const admins = new WeakMap<Response, Admin>();

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

/** Counts failures; after many from an address nothing is compared any more, unless an admin was let in from there. */
function admit(
  { authFailures }: AdminKeyDeps,
  address: string | undefined,
  find: () => Admin | null,
): Admin | null {
  const waitSeconds = authFailures.isTrusted(address) ? 0 : authFailures.waitSeconds(address);
  if (waitSeconds > 0) throw tooManyFailures(waitSeconds);
  const admin = find();
  if (admin === null) authFailures.failed(address);
  else authFailures.succeeded(address);
  return admin;
}

/** Lets only an admin secret pass; `actorOf(response)` then says who it is. */
export function requireAdmin(deps: AdminKeyDeps): RequestHandler {
  return (request, response, next) => {
    const token = bearerToken(request.headers.authorization);
    if (token === null) throw missingKey('admin secret');
    const admin = admit(deps, request.ip, () => adminOfSecret(deps.config.adminKeys, token));
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

function adminOfLogin({ config }: AdminKeyDeps, given: { name: string; secret: string }): Admin | null {
  const admin = adminOfSecret(config.adminKeys, given.secret);
  return admin?.name === given.name ? admin : null;
}

/** As `requireAdmin`, for a browser: it asks for a name of `ADMIN_API_KEY` and its secret. */
export function requireOperator(deps: AdminKeyDeps): RequestHandler {
  return (request, response, next) => {
    const given = basicCredentials(request.headers.authorization);
    const admin = given === null ? null : admit(deps, request.ip, () => adminOfLogin(deps, given));
    if (admin === null) {
      response.setHeader('www-authenticate', 'Basic realm="Billing queues", charset="UTF-8"');
      if (given === null)
        throw new ServiceError('missing_api_key', 'Log in with an admin name and its secret.');
      throw new ServiceError('invalid_api_key', 'Use a name of ADMIN_API_KEY with its secret.');
    }
    admins.set(response, admin);
    next();
  };
}

/** Who acts, for the audit log. */
export function actorOf(response: Response): Actor {
  const admin = admins.get(response);
  if (admin === undefined) throw new Error('actorOf was called before requireAdmin');
  return { name: admin.name, requestId: requestIdOf(response) };
}
