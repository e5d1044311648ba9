import { portalRequest } from '@billing/domain';
import { Router } from 'express';
import type { RequestHandler } from 'express';
import { projectOf, requireProjectKey, requireSameProject } from '../http/authenticate.ts';
import type { ProjectKeyDeps } from '../http/authenticate.ts';
import { mountRoute } from '../http/mount-route.ts';
import { parseBody, readJson } from '../http/parse.ts';
import { createPortalSession } from './create-portal-session.ts';
import type { PortalDeps } from './create-portal-session.ts';

/** `POST /api/v1/portal/create-session`. */
export function createPortalRouter(deps: PortalDeps & ProjectKeyDeps): Router {
  const router = Router({ caseSensitive: true });
  const handlers = [requireProjectKey(deps, 'checkout'), readJson, openPortal(deps)];
  mountRoute(router, '/api/v1/portal/create-session', { post: handlers });
  return router;
}

function openPortal(deps: PortalDeps): RequestHandler {
  return async (request, response) => {
    const record = projectOf(response);
    const body = parseBody(portalRequest, request);
    requireSameProject(record, body.project_id);
    response.status(200).json(await createPortalSession(deps, record.projectId, body));
  };
}
