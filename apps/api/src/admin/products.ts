import { createProductRequest, id, pageQuery, patchProductRequest } from '@billing/domain';
import { createProduct, getProduct, getProject, listProducts, patchProduct } from '@billing/store';
import type { Router } from 'express';
import { mountRoute } from '../http/mount-route.ts';
import { parseBody, parseParams, parseQuery } from '../http/parse.ts';
import { actorOf, settled } from './acting.ts';
import type { AdminDeps } from './acting.ts';
import { presentPage, presentProduct } from './present.ts';
import { projectPath } from './projects.ts';

const productPath = projectPath.extend({ product_id: id });

export function mountProducts(router: Router, deps: AdminDeps): void {
  const { database } = deps;
  mountRoute(router, '/projects/:project_id/products', {
    get: async (request, response) => {
      const { project_id: projectId } = parseParams(projectPath, request);
      await getProject(database, projectId);
      const page = await listProducts(database, { projectId, ...parseQuery(pageQuery, request) });
      response.json(presentPage(page, presentProduct));
    },
    post: async (request, response) => {
      const { project_id: projectId } = parseParams(projectPath, request);
      const body = parseBody(createProductRequest, request);
      const changed = await createProduct(database, { projectId, request: body, actor: actorOf(response) });
      response.status(201).json(presentProduct(await settled(deps, changed)));
    },
  });
  mountRoute(router, '/projects/:project_id/products/:product_id', {
    get: async (request, response) => {
      const { project_id: projectId, product_id: productId } = parseParams(productPath, request);
      response.json(presentProduct(await getProduct(database, { projectId, productId })));
    },
    patch: async (request, response) => {
      const { project_id: projectId, product_id: productId } = parseParams(productPath, request);
      const patch = parseBody(patchProductRequest, request);
      const key = { projectId, productId };
      const changed = await patchProduct(database, { key, patch, actor: actorOf(response) });
      response.json(presentProduct(await settled(deps, changed)));
    },
  });
}
