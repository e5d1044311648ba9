import { createApiKeyRequest, id, pageQuery, ServiceError } from '@billing/domain';
import type { CreatedApiKey } from '@billing/domain';
import { createApiKey, getProject, listApiKeys, revokeApiKey } from '@billing/store';
import type { Router } from 'express';
import { mountRoute } from '../http/mount-route.ts';
import { parseBody, parseParams, parseQuery, refuseQuery } from '../http/parse.ts';
import { actorOf } from './acting.ts';
import type { AdminDeps } from './acting.ts';
import { presentApiKey, presentPage } from './present.ts';
import { projectPath } from './projects.ts';

const keyPath = projectPath.extend({ key_id: id });

export function mountApiKeys(router: Router, deps: AdminDeps): void {
  const { database, clock, keys, logger } = deps;
  mountRoute(router, '/projects/:project_id/api-keys', {
    get: async (request, response) => {
      const { project_id: projectId } = parseParams(projectPath, request);
      await getProject(database, projectId);
      const page = await listApiKeys(database, { projectId, ...parseQuery(pageQuery, request) });
      response.json(presentPage(page, presentApiKey));
    },
    post: async (request, response) => {
      const { project_id: projectId } = parseParams(projectPath, request);
      const body = parseBody(createApiKeyRequest, request);
      if (body.expires_at !== undefined && body.expires_at <= clock()) throw expiresTooEarly();
      const { key, secret } = await createApiKey(database, {
        projectId,
        request: body,
        actor: actorOf(response),
      });
      const created: CreatedApiKey = { ...presentApiKey(key), api_key: secret };
      response.status(201).json(created);
    },
  });
  mountRoute(router, '/projects/:project_id/api-keys/:key_id', {
    delete: async (request, response) => {
      refuseQuery(request);
      const { project_id: projectId, key_id: keyId } = parseParams(keyPath, request);
      const revocation = { projectId, keyId, now: clock(), actor: actorOf(response) };
      const digest = await revokeApiKey(database, revocation);
      // Other processes, and this one if Redis fails here, see it at their next look at Postgres.
      await keys.forget(digest).catch((error: unknown) => logger.warn('api_key_copy_not_removed', { error }));
      response.status(204).end();
    },
  });
}

const expiresTooEarly = (): ServiceError =>
  new ServiceError('invalid_request', 'Choose an expires_at in the future, or none.', {
    errors: [{ path: 'expires_at', message: 'must be in the future' }],
  });
