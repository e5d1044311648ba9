import { createProjectRequest, id, pageQuery, patchProjectRequest } from '@billing/domain';
import { createProject, getProject, listProjects, patchProject } from '@billing/store';
import type { Project } from '@billing/store';
import type { Router } from 'express';
import { z } from 'zod';
import { mountRoute } from '../http/mount-route.ts';
import { parseBody, parseParams, parseQuery } from '../http/parse.ts';
import { actorOf, settled } from './acting.ts';
import type { AdminDeps } from './acting.ts';
import { presentPage, presentProject } from './present.ts';

export const projectPath = z.object({ project_id: id });

export function mountProjects(router: Router, deps: AdminDeps): void {
  const { database, config } = deps;
  const present = (row: Project) => presentProject(row, config.pastDueGraceDays);
  mountRoute(router, '/projects', {
    get: async (request, response) => {
      const page = await listProjects(database, parseQuery(pageQuery, request));
      response.json(presentPage(page, present));
    },
    post: async (request, response) => {
      const body = parseBody(createProjectRequest, request);
      const project = await settled(deps, await createProject(database, body, actorOf(response)));
      response.status(201).json(present(project));
    },
  });
  mountRoute(router, '/projects/:project_id', {
    get: async (request, response) => {
      const { project_id: projectId } = parseParams(projectPath, request);
      response.json(present(await getProject(database, projectId)));
    },
    patch: async (request, response) => {
      const { project_id: projectId } = parseParams(projectPath, request);
      const patch = parseBody(patchProjectRequest, request);
      const changed = await patchProject(database, { id: projectId, patch, actor: actorOf(response) });
      response.json(present(await settled(deps, changed)));
    },
  });
}
