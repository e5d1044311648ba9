import { createHash, timingSafeEqual } from 'node:crypto';
import { hasRole, ServiceError } from '@billing/domain';
import { requestIdOf } from '@billing/platform';
import type { NamedSecret } from '@billing/platform';
import type { Actor } from '@billing/store';
import type { Request, RequestHandler, Response } from 'express';
import { isRead } from '../console/check-origin.ts';
import { findSignedIn } from '../console/find-signed-in.ts';
import type { SessionDeps } from '../console/find-signed-in.ts';
import type { AppDeps } from '../deps.ts';
import { bearerToken, missingKey } from './authenticate-project.ts';
import type { AdminAccess } from './define-endpoint.ts';

export type Admin = Omit<NamedSecret, 'secret'>;
export type AdminKeyDeps = Pick<AppDeps, 'config' | 'authFailures'>;

// Beside the response, as Express's `locals` has no types.
const admins = new WeakMap<Response, Admin>();

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Finds the admin whose secret is given; every secret is compared, each in constant time. */
export function createAdminFinder(adminKeys: readonly NamedSecret[]): (secret: string) => Admin | null {
  const known = adminKeys.map(({ secret, ...admin }) => ({ admin, digest: digestOf(secret) }));
  return (secret) => {
    const given = digestOf(secret);
    let found: Admin | null = null;
    for (const { admin, digest } of known) if (timingSafeEqual(given, digest)) found = admin;
    return found;
  };
}

/** Lets only an admin secret pass, or a session of the console; `adminOf(response)` then says whose. */
export function requireAdmin(deps: SessionDeps & Pick<AppDeps, 'consoleMetrics'>): RequestHandler {
  const { config, authFailures, consoleMetrics } = deps;
  const find = createAdminFinder(config.adminKeys);

  function findBySecret(request: Request, response: Response): Admin {
    const login = { area: 'admin', request, response } as const;
    const token = bearerToken(request.headers.authorization);
    if (token === null) throw authFailures.missing(login, missingKey('admin secret'));
    const admin = find(token);
    if (admin !== null) return admin;
    throw authFailures.wrong(
      login,
      new ServiceError('invalid_api_key', 'Use a secret that ADMIN_API_KEY of this service names.'),
    );
  }

  return async (request, response, next) => {
    const signedIn =
      request.headers.authorization === undefined ? await findSignedIn(deps, { request, response }) : null;
    if (signedIn !== null) consoleMetrics.called(signedIn.admin.role, isRead(request) ? 'read' : 'change');
    admins.set(response, signedIn?.admin ?? findBySecret(request, response));
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

/**
 * As `requireAdmin`, for a browser: it asks for a name of `ADMIN_API_KEY` and its secret. The queues hold the events of
 * all projects: a name that is limited to one is refused.
 */
export function requireOperator({ config, authFailures }: AdminKeyDeps): RequestHandler {
  const find = createAdminFinder(config.adminKeys);
  return (request, response, next) => {
    const login = { area: 'queues', request, response } as const;
    const given = basicCredentials(request.headers.authorization);
    const admin = given === null ? null : find(given.secret);
    if (given === null || admin === null || admin.name !== given.name) {
      response.setHeader('www-authenticate', 'Basic realm="Billing queues", charset="UTF-8"');
      throw given === null
        ? authFailures.missing(
            login,
            new ServiceError('missing_api_key', 'Log in with an admin name and its secret.'),
          )
        : authFailures.wrong(
            login,
            new ServiceError('invalid_api_key', 'Use a name of ADMIN_API_KEY with its secret.'),
          );
    }
    if (admin.projectId !== null) throw onAllProjects();
    admins.set(response, admin);
    next();
  };
}

function adminOf(response: Response): Admin {
  const admin = admins.get(response);
  if (admin === undefined) throw new Error('adminOf was called before requireAdmin');
  return admin;
}

/** Who acts, for the audit log. */
export const actorOf = (response: Response): Actor => ({
  name: adminOf(response).name,
  requestId: requestIdOf(response),
});

/** The project that the caller is limited to; null: none. */
export const onlyProjectOf = (response: Response): string | null => adminOf(response).projectId;

const onAllProjects = (): ServiceError =>
  new ServiceError(
    'insufficient_role',
    'Use a name of ADMIN_API_KEY that is not limited to a project: this concerns all of them.',
  );

const otherProject = (): ServiceError =>
  new ServiceError('project_not_found', 'Use the project that this name of ADMIN_API_KEY is limited to.');

/** Lets pass who has the role, and of the project that the path names. Throws `insufficient_role`, `project_not_found`. */
export function requireRole({ admin: least, limitedBy }: AdminAccess): RequestHandler {
  return (request, response, next) => {
    const { role, projectId } = adminOf(response);
    if (!hasRole(role, least))
      throw new ServiceError(
        'insufficient_role',
        `Use a name of ADMIN_API_KEY that has the role "${least}"${least === 'admin' ? '' : ' or more'}.`,
      );
    if (projectId !== null && limitedBy === undefined) requireProjectOfPath(request, projectId);
    next();
  };
}

function requireProjectOfPath({ params }: Request, projectId: string): void {
  if (!Object.hasOwn(params, 'project_id')) throw onAllProjects();
  if (params['project_id'] !== projectId) throw otherProject();
}

/** Of a name that is limited to a project, the body of an `AdminAccess` by the `body` must name that project. */
export function requireProjectOfBody(onlyProject: string | null, body: unknown): void {
  if (onlyProject === null) return;
  const named =
    typeof body === 'object' && body !== null && 'project_id' in body ? body.project_id : undefined;
  if (named === undefined) throw onAllProjects();
  if (named !== onlyProject) throw otherProject();
}
