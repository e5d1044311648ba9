import { createPriceRequest, id, pageQuery, patchPriceRequest } from '@billing/domain';
import { createPrice, getPrice, getProject, listPrices, patchPrice } from '@billing/store';
import type { Router } from 'express';
import { mountRoute } from '../http/mount-route.ts';
import { parseBody, parseParams, parseQuery } from '../http/parse.ts';
import { actorOf, settled } from './acting.ts';
import type { AdminDeps } from './acting.ts';
import { presentPage, presentPrice } from './present.ts';
import { projectPath } from './projects.ts';

const pricePath = projectPath.extend({ price_id: id });

export function mountPrices(router: Router, deps: AdminDeps): void {
  const { database } = deps;
  mountRoute(router, '/projects/:project_id/prices', {
    get: async (request, response) => {
      const { project_id: projectId } = parseParams(projectPath, request);
      await getProject(database, projectId);
      const page = await listPrices(database, { projectId, ...parseQuery(pageQuery, request) });
      response.json(presentPage(page, presentPrice));
    },
    post: async (request, response) => {
      const { project_id: projectId } = parseParams(projectPath, request);
      const body = parseBody(createPriceRequest, request);
      const changed = await createPrice(database, { projectId, request: body, actor: actorOf(response) });
      response.status(201).json(presentPrice(await settled(deps, changed)));
    },
  });
  mountRoute(router, '/projects/:project_id/prices/:price_id', {
    get: async (request, response) => {
      const { project_id: projectId, price_id: priceId } = parseParams(pricePath, request);
      response.json(presentPrice(await getPrice(database, { projectId, priceId })));
    },
    patch: async (request, response) => {
      const { project_id: projectId, price_id: priceId } = parseParams(pricePath, request);
      const patch = parseBody(patchPriceRequest, request);
      const key = { projectId, priceId };
      const changed = await patchPrice(database, { key, patch, actor: actorOf(response) });
      response.json(presentPrice(await settled(deps, changed)));
    },
  });
}
